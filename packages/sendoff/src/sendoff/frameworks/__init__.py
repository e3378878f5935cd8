"""Services without code of the user's own: from a registered model to entry script, environment and schema.

`compose.compose` is what the rest uses; ``scoring/`` is what runs in the worker, shipped in the bundle.
"""
