"""Tests of the package `commands`, a file for each of its modules."""
