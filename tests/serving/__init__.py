"""Tests of the scoring server: real front processes and real workers."""
