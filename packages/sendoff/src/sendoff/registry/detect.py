"""Framework versions that a file itself states. Nothing is loaded: the strings go by while the scan reads.

What a file states stands over the label that it was registered with (settled.md).
"""

from __future__ import annotations

import json
import re
from typing import Any

_VERSION = re.compile(r"\d+(\.\w+)+\Z")
_STATED = {"_sklearn_version": "scikit-learn"}
"""Keys of a pickled state. scikit-learn writes its own since 0.18 (BaseEstimator.__getstate__)."""


class Detected:
    """Collects versions; the first stated for a framework holds: an estimator's own comes before its parts'."""

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.roots: list[str | None] = []
        """The class of each pickle's object; None for plain values and what cannot be told."""

    def pair(self, key: str, value: str) -> None:
        """Two strings that follow each other in a pickle."""
        framework = _STATED.get(key)
        if framework is not None and _VERSION.match(value):
            self.versions.setdefault(framework, value)

    def keras_metadata(self, data: bytes) -> None:
        """``metadata.json`` of a ``.keras`` archive."""
        try:
            found: Any = json.loads(data)
            version = found["keras_version"]
        except (ValueError, TypeError, KeyError):
            return
        if isinstance(version, str) and _VERSION.match(version):
            self.versions.setdefault("keras", version)
