"""Services and what deploys them, as SDK v1 names them (spec/surface.md sec. 2.5, 2.8 to 2.11)."""
