"""What a service stores of requests and of what its script collects (docs/data-collection.md)."""

from __future__ import annotations

import re

from .parse import Spec, broken, check_rules

CAPTURE = ("auto", "on", "off")
_PATH = re.compile(r"\$(\.[^.\[\]]+|\[(\*|\d+|'[^']*'|\"[^\"]*\")\])+\Z")


class DataCollection(Spec):
    """Settings of data collection; they hold while ``collect_model_data`` is true."""

    capture: str = "auto"
    """Inputs and predictions without code: ``on``, ``off``, ``auto`` unless the script has collectors of its own."""
    sample: float = 1.0
    """Share of the requests that is captured, above 0 to 1."""
    max_body_bytes: int = 65_536
    """Largest input, prediction or record of a collector that is stored."""
    redact: list[str] = []
    """Values that are not stored: names of members or columns at any depth, or paths such as ``$.data[*].ssn``."""
    max_store_mb: int = 1024
    """Size of the service's folder from which nothing more is stored."""
    max_file_mb: int = 64
    """Size of a file from which the day's next one is begun."""


def check(settings: DataCollection, *, where: str, prefix: str = "data_collection.") -> DataCollection:
    """The settings themselves when every value is in its range.

    Raises:
        InvalidInput: Names the field, its rule and what was given.
    """
    rules = [
        ("capture", settings.capture in CAPTURE, f"is {', '.join(CAPTURE)}"),
        ("sample", 0 < settings.sample <= 1, "has to be above 0 and at most 1"),
        ("max_body_bytes", settings.max_body_bytes >= 1, "has to be at least 1"),
        ("max_store_mb", settings.max_store_mb >= 1, "has to be at least 1 MB"),
        ("max_file_mb", settings.max_file_mb >= 1, "has to be at least 1 MB"),
    ]
    check_rules(settings, rules, where=where, prefix=prefix)
    for one in settings.redact:
        if not one or (one.startswith("$") and not _PATH.match(one)):
            raise broken(where, f"{prefix}redact", "has names, or paths such as $.data[*].ssn", one)
    return settings
