"""Tests of the package `delivery`, a file for each of its modules."""
