"""Data sets and datastores as SDK v1 names them (spec/surface.md sec. 2.14)."""
