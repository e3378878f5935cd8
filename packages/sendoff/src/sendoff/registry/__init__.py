"""The registry: workspaces and the model versions in them."""

from __future__ import annotations

from .registry import Registry

__all__ = ["Registry"]
