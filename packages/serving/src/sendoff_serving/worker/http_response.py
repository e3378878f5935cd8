"""The response object of entry scripts (AMLResponse), without Flask."""

import json
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from .answer import Answer
from .encoding import NotEncodable, encode
from .mappings import Content, Headers, header_text

_TEXT = (str, bytes, bytearray, memoryview)
# Results that are never responses, whatever attributes their class offers (addict, Box: any).
_VALUES = (dict, list, tuple, set, frozenset, str, bytes, int, float)

_REASONS = {200: "OK", 201: "CREATED", 202: "ACCEPTED", 204: "NO CONTENT", 400: "BAD REQUEST", 404: "NOT FOUND"}


class AMLResponse(Content):
    """An HTTP answer made by the script (spec/scoring-server.md sec. 6).

    Args:
        message: the body: text, bytes, a list of them, an iterator of them (streamed); any other value is encoded
            as JSON, as ``json_str`` does with text too. None gives ``{}`` as JSON.
        status_code: HTTP status; also text such as "201 CREATED", and None for 200.
        response_headers: header names and values; a value is split at commas into repeated headers.
        json_str: encode ``message`` as JSON.
        run_function_failed: sets the header x-ms-run-function-failed, as does any status of 500 or more.
    """

    def __init__(
        self,
        message: Any = None,
        status_code: Union[int, str, None] = 200,
        response_headers: Union[Dict[str, str], Iterable[Tuple[str, str]], None] = None,
        json_str: bool = False,
        run_function_failed: bool = False,
    ) -> None:
        self.status_code = 200
        if status_code is not None:
            self.status = status_code
        self.run_function_failed = run_function_failed
        # The pieces of a streamed body, None for a body that is known.
        self.stream: Optional[Iterator[Any]] = None
        self._data = b""
        self.headers = Headers()
        if not json_str and isinstance(message, _TEXT):
            self.set_data(message)
        elif not json_str and _is_pieces(message):
            self._data = b"".join(to_bytes(piece) for piece in message)
        elif not json_str and hasattr(type(message), "__next__"):
            self.stream = iter(message)
        else:
            self._set_value(message, json_str)
        if "Content-Type" not in self.headers:
            self.headers.add("Content-Type", "text/html; charset=utf-8")
        given = Headers(response_headers or {})
        for name in {known.lower() for known in given.keys()}:
            del self.headers[name]
        for name, value in given.items():
            for single in value.split(","):
                self.headers.add(name, single.strip())

    def _set_value(self, message: Any, json_str: bool) -> None:
        """Take a value that is neither text nor pieces as JSON; what has no JSON form may still give pieces."""
        try:
            self._data = encode(message, "legacy")[0]
        except NotEncodable:
            if json_str or not hasattr(type(message), "__iter__") or isinstance(message, (dict, list, tuple, set)):
                raise
            self.stream = iter(message)
        else:
            self.headers["Content-Type"] = "application/json"

    def get_data(self, as_text: bool = False) -> Any:
        """Return the body; a streamed one is read to its end."""
        if self.stream is not None:
            self._data = b"".join(to_bytes(piece) for piece in self.stream)
            self.stream = None
        return self._data.decode("utf-8") if as_text else self._data

    def set_data(self, data: Any) -> None:
        """Replace the body by text or bytes."""
        self.stream = None
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
        self.status_code = int(status.split()[0] if isinstance(status, str) else status)

    def set_cookie(self, key: str, value: str = "", **attributes: Any) -> None:
        """Add a Set-Cookie header; attributes as in the standard library's cookies (``max_age``, ``path``, …)."""
        from http.cookies import SimpleCookie

        cookie: Any = SimpleCookie()
        cookie[key] = value
        cookie[key]["path"] = "/"
        for name, setting in attributes.items():
            if setting is not None and setting is not False:
                cookie[key][name.replace("_", "-")] = setting
        self.headers.add("Set-Cookie", cookie[key].OutputString())

    def delete_cookie(self, key: str, path: str = "/", domain: Optional[str] = None, **attributes: Any) -> None:
        """Add a Set-Cookie header that makes the browser forget the cookie; ``path`` and ``domain`` as it was set."""
        past = "Thu, 01 Jan 1970 00:00:00 GMT"
        self.set_cookie(key, expires=past, max_age=0, path=path, domain=domain, **attributes)

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """Return the body parsed as JSON; None where the content type is another, unless ``force``."""
        if not (force or self.is_json):
            return None
        try:
            return self.json
        except ValueError:
            if silent:
                return None
            raise

    @property
    def is_streamed(self) -> bool:
        return self.stream is not None

    @property
    def content_length(self) -> Optional[int]:
        """The length of the body in bytes; None while it is streamed."""
        return None if self.is_streamed else len(self._data)

    @content_length.setter
    def content_length(self, value: Any) -> None:
        """Accepted for scripts that set it; the length sent is the body's."""

    def __repr__(self) -> str:
        return "<%s %d bytes [%s]>" % (type(self).__name__, len(self._data), self.status)


def _is_pieces(message: Any) -> bool:
    return isinstance(message, (list, tuple)) and bool(message) and all(isinstance(piece, _TEXT) for piece in message)


def to_bytes(piece: Any) -> bytes:
    """Return a piece of a body as bytes; text is encoded as UTF-8.

    Raises:
        TypeError: it is neither text nor bytes. (``bytes`` itself makes zeros of an int, and an array's memory.)
    """
    if isinstance(piece, str):
        return piece.encode("utf-8")
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    raise TypeError("a piece of a response should be text or bytes, not %s" % type(piece).__name__)


class BadResponse(Exception):
    """run() returned a response object that cannot be sent; the message says why."""


def as_answer(value: Any, seconds: float) -> Optional[Answer]:
    """Read a response object that run() returned: ours, or one that quacks like Flask's.

    Args:
        value: what run() returned.
        seconds: in run().

    Returns:
        The answer; None when the value is no response object.

    Raises:
        BadResponse: its status, headers or body are none.
    """
    kind = type(value)
    ours = isinstance(value, AMLResponse)
    # What the class has: objects that invent attributes when asked (mocks, open dicts) are no responses.
    if not ours and (
        isinstance(value, _VALUES) or not (hasattr(kind, "status_code") and callable(getattr(kind, "get_data", None)))
    ):
        return None
    pieces: Optional[Iterator[Any]] = None
    if ours:
        pieces = value.stream
    elif getattr(value, "is_streamed", False) is True and hasattr(kind, "iter_encoded"):
        pieces = iter(value.iter_encoded())
    body = b"" if pieces is not None else to_bytes(value.get_data())
    failed = ours and bool(value.run_function_failed)
    return Answer(seconds, body, _status(value.status_code), _pairs(value.headers), pieces, failed)


def _status(given: Any) -> int:
    try:
        status = int(given)
    except (TypeError, ValueError):
        status = 0
    if not 200 <= status <= 999:
        raise BadResponse("run() returned a response with the status %r, which no answer can have" % (given,))
    return status


def _pairs(headers: Any) -> List[Tuple[str, str]]:
    items = headers.items() if hasattr(headers, "items") else headers
    return [(str(name), header_text(value)) for name, value in items]
