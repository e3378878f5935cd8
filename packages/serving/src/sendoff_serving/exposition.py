"""The text format of Prometheus, in which a server's counts are read (version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[Mapping[str, object], str | float]
"""Labels and value."""


def family(name: str, kind: str, text: str, samples: Iterable[Sample] | str | float) -> list[str]:
    """Return the lines of one metric.

    Args:
        name: what comes behind ``sendoff_``.
        kind: "counter" or "gauge".
        text: what it is, a sentence.
        samples: its values with their labels; or the only one.
    """
    rows = [({}, samples)] if isinstance(samples, (str, int, float)) else samples
    return [*head(name, kind, text), *(f"sendoff_{name}{_labels(labels)} {value}" for labels, value in rows)]


def head(name: str, kind: str, text: str) -> list[str]:
    """Return the two lines that stand before a metric's values."""
    return [f"# HELP sendoff_{name} {text}", f"# TYPE sendoff_{name} {kind}"]


def _labels(labels: Mapping[str, object]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
