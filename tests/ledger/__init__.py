"""Tests of the package `ledger`, a file for each of its modules."""
