"""Batch steps as of April 2020."""
