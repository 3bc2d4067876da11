"""Tests of the package `template`, a file for each of its modules."""
