"""Tests of the package `mapping`, a file for each of its modules."""
