"""Drift: the rows that services are sent now against a baseline, feature by feature (docs/drift.md)."""
