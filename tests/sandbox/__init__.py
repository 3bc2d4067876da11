"""Tests of the package `sandbox`, a file for each of its modules."""
