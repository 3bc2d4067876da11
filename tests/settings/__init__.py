"""Tests of the package `settings`, a file for each of its modules."""
