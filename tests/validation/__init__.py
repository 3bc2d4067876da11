"""Tests of the package `validation`, a file for each of its modules."""
