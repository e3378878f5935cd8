"""Finds and removes what nothing refers to."""
