"""Pipelines and batch steps as SDK v1 names them (spec/surface.md sec. 2.16): described here, not run yet."""
