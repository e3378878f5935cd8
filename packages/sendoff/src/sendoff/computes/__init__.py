"""Compute targets: the names that scripts deploy to."""

from .computes import Computes

__all__ = ["Computes"]
