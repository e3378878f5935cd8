"""What has happened in a workspace, as CloudEvents 1.0 (spec/behaviour.md sec. 18)."""

from .events import keep, listed

__all__ = ["keep", "listed"]
