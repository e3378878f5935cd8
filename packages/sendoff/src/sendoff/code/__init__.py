"""The code of a request: its script, its environment and its models, checked before anything starts."""
