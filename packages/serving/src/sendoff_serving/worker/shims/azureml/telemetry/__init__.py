"""Telemetry of the vendor's SDK: accepted, and nothing is sent."""

from typing import Any

INSTRUMENTATION_KEY = ""


def set_diagnostics_collection(send_diagnostics: bool = True, verbosity: Any = None, **_: Any) -> None:
    """Accepted without effect."""


def get_diagnostics_collection_info(**_: Any) -> Any:
    """Return that nothing is collected."""
    return False, None


def get_telemetry_log_handler(*_: Any, **__: Any) -> Any:
    """Return a handler that drops every record."""
    import logging

    return logging.NullHandler()
