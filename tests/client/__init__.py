"""Tests of the package `client`, a file for each of its modules."""
