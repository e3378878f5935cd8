"""Pipelines: described, not run."""
