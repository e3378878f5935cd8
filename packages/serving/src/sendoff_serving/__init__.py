"""Sendoff's scoring server: a front that owns HTTP, and workers that run the user's script.

The front (``sendoff_serving.front``) runs in our interpreter; workers (``sendoff_serving.worker``) run in the
user's, on Python 3.6 or newer, with the standard library alone. They speak ``sendoff_serving.protocol``.
"""

__version__ = "0.1.0"
