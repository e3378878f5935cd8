"""Cross-origin requests of browsers: answered by the front, before anything else looks at the request."""

from __future__ import annotations

from collections.abc import Mapping

_METHODS = "GET, HEAD, POST, OPTIONS"
_EXPOSED = (
    "x-request-id, x-ms-request-id, x-ms-client-request-id, x-ms-run-function-failed, x-ms-run-fn-exec-ms, "
    "Server-Timing, Retry-After, WWW-Authenticate, Inference-Header-Content-Length"
)
_MAX_AGE = 600


class Cors:
    """The rule of one service.

    Args:
        origins: allowed origins; "*" for any, none to leave CORS to the script.
    """

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._any = "*" in origins
        self._origins = frozenset(origin.encode("latin-1", "ignore").rstrip(b"/") for origin in origins)
        self.enabled = bool(origins)
        self._vary = "" if self._any else "Vary: Origin\r\n"

    def _allowed(self, known: Mapping[bytes, bytes]) -> str | None:
        if self._any:
            return "*"  # also where no origin is named: a cache may give the same answer to a page (Fetch, 3.3.6)
        origin = known.get(b"origin")
        if not origin:
            return None
        return origin.decode("latin-1") if origin.rstrip(b"/") in self._origins else None

    def lines(self, known: Mapping[bytes, bytes]) -> str:
        """Return the header lines of an ordinary answer."""
        if not self.enabled:
            return ""
        allowed = self._allowed(known)
        if allowed is None:
            return self._vary
        return f"Access-Control-Allow-Origin: {allowed}\r\nAccess-Control-Expose-Headers: {_EXPOSED}\r\n{self._vary}"

    def is_preflight(self, method: str, known: Mapping[bytes, bytes]) -> bool:
        """Whether a request is a browser's question that we answer ourselves."""
        return self.enabled and method == "OPTIONS" and b"access-control-request-method" in known

    def preflight_lines(self, known: Mapping[bytes, bytes]) -> str:
        """Return the header lines of the answer to a preflight."""
        allowed = self._allowed(known)
        if allowed is None:
            return self._vary
        asked = known.get(b"access-control-request-headers", b"").decode("latin-1")
        wanted = f"Access-Control-Allow-Headers: {asked}\r\n" if asked else ""
        return (
            f"Access-Control-Allow-Origin: {allowed}\r\nAccess-Control-Allow-Methods: {_METHODS}\r\n"
            f"{wanted}Access-Control-Max-Age: {_MAX_AGE}\r\n{self._vary}"
        )
