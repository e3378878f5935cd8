"""Import names of Azure ML SDK v1."""
