"""The import names of Azure ML SDK v1, answered by Sendoff. This distribution holds names, not logic."""
