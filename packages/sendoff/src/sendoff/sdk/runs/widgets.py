"""The notebook widget of a run: here, lines of text."""

from __future__ import annotations

from typing import Any

from ..saying import say


class RunDetails:
    """A run's state, as text.

    Args:
        run_instance: The run.
    """

    def __init__(self, run_instance: Any) -> None:
        self._run = run_instance

    def show(self, render_lib: Any = None, widget_settings: Any = None) -> None:
        """Print its id, its state and where it is kept.

        Args:
            render_lib: Not used.
            widget_settings: Not used.
        """
        say(f"Run {self._run.id}: {self._run.get_status()}")

    def get_widget_data(self, widget_settings: Any = None) -> dict[str, Any]:
        """Its facts, under SDK v1's keys."""
        found: dict[str, Any] = self._run.get_details()
        return found
