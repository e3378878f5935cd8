"""Scores models without code of the user's own: shipped in the bundle as ``sendoff_no_code``, run by the worker.

Runs on the Python of the model's environment, 3.6 to the newest, with what that environment holds. Of ours it uses
what every worker has.
"""
