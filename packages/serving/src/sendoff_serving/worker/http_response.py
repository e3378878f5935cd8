"""The response object of entry scripts (AMLResponse), without Flask."""

import json
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from .encoding import encode
from .mappings import Headers

_REASONS = {200: "OK", 201: "CREATED", 202: "ACCEPTED", 204: "NO CONTENT", 400: "BAD REQUEST", 404: "NOT FOUND"}


class AMLResponse:
    """An HTTP answer made by the script (spec/scoring-server.md sec. 6).

    Args:
        message: the body: text, bytes, an iterator of pieces (streamed), or with ``json_str`` any value that
            is encoded as JSON. None gives ``{}`` as JSON.
        status_code: HTTP status.
        response_headers: header names and values; a value is split at commas into repeated headers.
        json_str: encode ``message`` as JSON.
        run_function_failed: sets the header x-ms-run-function-failed, as does any status of 500 or more.
    """

    def __init__(
        self,
        message: Any = None,
        status_code: int = 200,
        response_headers: Union[Dict[str, str], Iterable[Tuple[str, str]], None] = None,
        json_str: bool = False,
        run_function_failed: bool = False,
    ) -> None:
        self.status_code = int(status_code)
        self.run_function_failed = run_function_failed
        self._stream: Optional[Iterator[Any]] = None
        self._data = b""
        self.headers = Headers()
        if message is None or json_str:
            self._data = b"{}" if message is None else encode(message, "legacy")[0]
            self.headers["Content-Type"] = "application/json"
        elif isinstance(message, (str, bytes, bytearray, memoryview)):
            self.set_data(message)
            self.headers["Content-Type"] = "text/html; charset=utf-8"
        elif hasattr(message, "__iter__") or hasattr(message, "__next__"):
            self._stream = iter(message)
            self.headers["Content-Type"] = "text/html; charset=utf-8"
        else:
            self.set_data(json.dumps(message))
            self.headers["Content-Type"] = "text/html; charset=utf-8"
        given = Headers(response_headers or {})
        for name in {known.lower() for known in given}:
            del self.headers[name]
        for name, value in given.items():
            for single in str(value).split(","):
                self.headers.add(name, single.strip())

    @property
    def stream(self) -> Optional[Iterator[Any]]:
        """The pieces of a streamed body, or None for a body that is known."""
        return self._stream

    def get_data(self, as_text: bool = False) -> Any:
        """Return the body; a streamed one is read to its end."""
        if self._stream is not None:
            self._data = b"".join(to_bytes(piece) for piece in self._stream)
            self._stream = None
        return self._data.decode("utf-8") if as_text else self._data

    def set_data(self, data: Any) -> None:
        """Replace the body by text or bytes."""
        self._stream = None
        self._data = to_bytes(data)

    @property
    def data(self) -> bytes:
        data: bytes = self.get_data()
        return data

    @data.setter
    def data(self, data: Any) -> None:
        self.set_data(data)

    @property
    def json(self) -> Any:
        return json.loads(self.get_data(as_text=True))

    @property
    def status(self) -> str:
        return "%d %s" % (self.status_code, _REASONS.get(self.status_code, "UNKNOWN"))

    @status.setter
    def status(self, status: Union[str, int]) -> None:
        self.status_code = int(str(status).split()[0])

    @property
    def content_type(self) -> str:
        return str(self.headers.get("Content-Type", ""))

    @content_type.setter
    def content_type(self, value: str) -> None:
        self.headers["Content-Type"] = value

    @property
    def mimetype(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        text = value.startswith("text/") and "charset" not in value
        self.headers["Content-Type"] = value + ("; charset=utf-8" if text else "")

    def set_cookie(self, key: str, value: str = "", **attributes: Any) -> None:
        """Add a Set-Cookie header; attributes as in the standard library's cookies (``max_age``, ``path``, …)."""
        from http.cookies import SimpleCookie

        cookie: Any = SimpleCookie()
        cookie[key] = value
        for name, setting in attributes.items():
            if setting is not None and setting is not False:
                cookie[key][name.replace("_", "-")] = setting
        self.headers.add("Set-Cookie", cookie[key].OutputString())

    def __repr__(self) -> str:
        return "<Response %d bytes [%s]>" % (len(self._data), self.status)


def to_bytes(piece: Any) -> bytes:
    """Return a piece of a body as bytes; text is encoded as UTF-8."""
    return piece.encode("utf-8") if isinstance(piece, str) else bytes(piece)


Answer = Tuple[int, List[Tuple[str, str]], Optional[bytes], Optional[Iterator[Any]], bool]


def as_answer(value: Any) -> Optional[Answer]:
    """Read a response object that run() returned: ours, or one that quacks like Flask's.

    Returns:
        Status, headers, body (or None), pieces (or None) and whether the script says it failed; None when the
        value is no response object.
    """
    if isinstance(value, AMLResponse):
        stream = value.stream
        body = None if stream is not None else value.get_data()
        return value.status_code, value.headers.items(), body, stream, bool(value.run_function_failed)
    if hasattr(value, "status_code") and hasattr(value, "headers") and hasattr(value, "get_data"):
        if getattr(value, "is_streamed", False) and hasattr(value, "iter_encoded"):
            return value.status_code, list(value.headers.items()), None, iter(value.iter_encoded()), False
        return value.status_code, list(value.headers.items()), value.get_data(), None, False
    return None
