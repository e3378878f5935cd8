"""The log server of AutoML's generated scripts: accepted without effect."""

from typing import Any


def enable_telemetry(*_: Any, **__: Any) -> None:
    """Accepted without effect."""


def set_verbosity(*_: Any, **__: Any) -> None:
    """Accepted without effect."""


def update_custom_dimensions(*_: Any, **__: Any) -> None:
    """Accepted without effect."""


def install_handler(*_: Any, **__: Any) -> None:
    """Accepted without effect."""
