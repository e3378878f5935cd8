"""Headers of a request that Flask gives as objects: credentials, what is accepted, the client's name."""

import base64
import binascii
from typing import Any, Dict, List, Optional, Tuple


class UserAgent(str):
    """The client's name as text; ``string`` is the same. Nothing is read out of it, as in Flask today."""

    platform = browser = version = language = None

    @property
    def string(self) -> str:
        return str(self)


class Authorization(Dict[str, Any]):
    """An Authorization header: ``type`` ("basic", "bearer", ...), ``username`` and ``password``, or ``token``.

    Args:
        kind: the scheme in lower case.
        parameters: what a Basic header holds.
        token: what follows the scheme of other headers.
    """

    def __init__(self, kind: str, parameters: Dict[str, str], token: Optional[str] = None) -> None:
        dict.__init__(self, parameters)
        self.type = kind
        self.token = token
        self.username, self.password = parameters.get("username"), parameters.get("password")

    @classmethod
    def of(cls, header: Optional[str]) -> "Optional[Authorization]":
        """Read a header; None where there is none, or a Basic one that cannot be read."""
        if not header:
            return None
        kind, _, rest = header.partition(" ")
        kind, rest = kind.lower(), rest.strip()
        if kind != "basic":
            return cls(kind, {}, rest)
        try:
            text = base64.b64decode(rest, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return None
        username, _, password = text.partition(":")
        return cls(kind, {"username": username, "password": password})

    def __bool__(self) -> bool:
        return True


class Accept(List[Tuple[str, float]]):
    """The media types that a client accepts, with their qualities, the best first.

    Args:
        header: the header's value.
    """

    def __init__(self, header: str = "") -> None:
        self._header = header
        list.__init__(self)
        for part in header.split(","):
            value, _, rest = part.partition(";")
            if value.strip():
                self.append((value.strip(), _quality(rest)))
        self.sort(key=lambda pair: (-pair[1], pair[0].count("*")))

    def _matches(self, wanted: str, known: str) -> bool:
        wanted, known = wanted.lower(), known.lower()
        return known in ("*", "*/*", wanted) or (known.endswith("/*") and wanted.startswith(known[:-1]))

    def quality(self, wanted: str) -> float:
        """Return how much a value is wanted, from 0 (not at all) to 1."""
        found = [(len(known.replace("*", "")), quality) for known, quality in self if self._matches(wanted, known)]
        return max(found)[1] if found else 0.0

    def __contains__(self, wanted: object) -> bool:
        return isinstance(wanted, str) and self.quality(wanted) > 0

    def __getitem__(self, key: Any) -> Any:
        return self.quality(key) if isinstance(key, str) else list.__getitem__(self, key)

    @property
    def best(self) -> Optional[str]:
        return list.__getitem__(self, 0)[0] if self else None

    def best_match(self, offered: Any, default: Any = None) -> Any:
        """Return the offered value that is wanted most, the first of equals; the default where none is wanted."""
        best, most = default, 0.0
        for value in offered:
            quality = self.quality(value)
            if quality > most:
                best, most = value, quality
        return best

    @property
    def accept_json(self) -> bool:
        return self.quality("application/json") > 0

    def __str__(self) -> str:
        return self._header


def _quality(parameters: str) -> float:
    for part in parameters.split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
