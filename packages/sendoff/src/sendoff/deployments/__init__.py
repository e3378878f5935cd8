"""Services: their revisions, the operations that bring them about, and their state."""

from __future__ import annotations

from .services import Deployments

__all__ = ["Deployments"]
