"""Tests of the package `rejected`, a file for each of its modules."""
