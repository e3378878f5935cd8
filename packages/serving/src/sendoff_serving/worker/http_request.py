"""The request object that ``@rawhttp`` scripts receive (AMLRequest), without Flask."""

import codecs
import io
import json
import re
from typing import Any, Dict, List, Optional, Tuple, Union
from urllib.parse import parse_qsl, quote, unquote

from . import multipart
from .header_values import Accept, Authorization, UserAgent
from .mappings import BadRequest, Content, Headers, MultiDict

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BEYOND_ASCII = re.compile("(?:%[89A-Fa-f][0-9A-Fa-f])+")

# Set by ``rawhttp``: the decorator marks the whole script, as the existing server has it
# (spec/scoring-server.md sec. 3).
_marked: List[Any] = []


def rawhttp(function: Any) -> Any:
    """Mark ``run`` as taking the HTTP request itself; returns the function unchanged."""
    _marked.append(function)
    return function


def is_raw() -> bool:
    """Whether ``rawhttp`` has been used in this process."""
    return bool(_marked)


def _header(name: str) -> Any:
    """Return a property: the value of a header, None where the request has none."""
    return property(lambda request: request.headers.get(name))


class AMLRequest(Content):
    """One HTTP request, with the attributes that Flask's request offered to entry scripts.

    Args:
        method: upper-case method.
        target: path and query as sent.
        headers: pairs of name and value as sent.
        body: the whole body.
        remote_addr: the client's address, "" for a Unix socket.
        scheme: "http" or "https".
    """

    def __init__(
        self,
        method: str = "GET",
        target: str = "/score",
        headers: Union[List[Tuple[str, str]], Headers, None] = None,
        body: bytes = b"",
        remote_addr: str = "",
        scheme: str = "http",
    ) -> None:
        path, _, query = target.partition("?")
        self._target = target
        self.method = method
        self.path = unquote(path)
        self.query_string = query.encode("latin-1", "replace")
        if not isinstance(headers, Headers):
            # Clients and proxies differ in case; scripts look for "Content-Type" in dict(request.headers).
            headers = Headers((name.title(), value) for name, value in headers or ())
        self.headers = headers
        self.remote_addr = remote_addr
        self.scheme = scheme
        self._body = body
        self._stream: Optional[io.BytesIO] = None
        self._form: Optional[Tuple[MultiDict, MultiDict]] = None

    # Address

    @property
    def full_path(self) -> str:
        """Path, a question mark, and the query, which may be empty (as Flask has it)."""
        return "%s?%s" % (self.path, self.query_string.decode("latin-1"))

    @property
    def host(self) -> str:
        return str(self.headers.get("Host", "localhost"))

    @property
    def host_url(self) -> str:
        return "%s://%s/" % (self.scheme, self.host)

    url_root = host_url

    @property
    def base_url(self) -> str:
        return self.host_url + _readable(quote(self.path.lstrip("/"), safe="/:@!$&'()*+,;=~"))

    @property
    def url(self) -> str:
        """The whole address; letters beyond ASCII are shown as such, everything else as it was sent."""
        query = _readable(self.query_string.decode("latin-1"))
        return self.base_url + ("?" + query if query else "")

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    @property
    def args(self) -> MultiDict:
        """The query's parameters."""
        return MultiDict(_pairs(self.query_string.decode("latin-1")), "query parameter")

    # Headers

    content_encoding = _header("Content-Encoding")
    referrer = _header("Referer")
    origin = _header("Origin")
    # The service is at the root of its address, and has one function.
    root_path = script_root = ""
    endpoint = "score"

    @property
    def date(self) -> Any:
        from email.utils import parsedate_to_datetime

        try:
            return parsedate_to_datetime(self.headers.get("Date", ""))
        except (TypeError, ValueError, IndexError):
            return None

    @property
    def content_length(self) -> Optional[int]:
        """The length that the request states; None where it states none."""
        stated = self.headers.get("Content-Length", "")
        return int(stated) if stated.isdigit() else None

    @property
    def authorization(self) -> Optional[Authorization]:
        """The credentials of the request; None where there are none, and where the server itself has taken them."""
        return Authorization.of(self.headers.get("Authorization"))

    @property
    def accept_mimetypes(self) -> Accept:
        return Accept(self.headers.get("Accept", ""))

    @property
    def access_route(self) -> List[str]:
        """The addresses that forwarded the request, the client first."""
        forwarded = self.headers.get("X-Forwarded-For")
        if forwarded:
            return [address.strip() for address in forwarded.split(",")]
        return [self.remote_addr] if self.remote_addr else []

    @property
    def cookies(self) -> MultiDict:
        from http.cookies import CookieError, SimpleCookie

        try:
            found = [(name, morsel.value) for name, morsel in SimpleCookie(self.headers.get("Cookie", "")).items()]
        except CookieError:
            found = []
        return MultiDict(found, "cookie")

    @property
    def user_agent(self) -> UserAgent:
        return UserAgent(self.headers.get("User-Agent", ""))

    # Body

    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> Any:
        """Return the body.

        Args:
            cache: accepted for scripts that pass it; the body can always be read again.
            as_text: decode it as UTF-8 (undecodable bytes are replaced).
            parse_form_data: give b"" for forms, whose content is in ``form`` and ``files``.
        """
        body = b"" if parse_form_data and self.mimetype in (_FORM, _MULTIPART) else self._body
        return body.decode("utf-8", "replace") if as_text else body

    @property
    def data(self) -> bytes:
        """The body; b"" for forms, whose content is in ``form`` and ``files``."""
        data: bytes = self.get_data(parse_form_data=True)
        return data

    @property
    def stream(self) -> io.BytesIO:
        """The body as a file."""
        if self._stream is None:
            self._stream = io.BytesIO(self._body)
        return self._stream

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Return the body parsed as JSON; None if the content type does not say JSON, unless ``force``.

        Raises:
            BadRequest: the body is not JSON and not ``silent``.
        """
        if not (force or self.is_json):
            return None
        try:
            return json.loads(self._body)  # bytes: UTF-8 with or without a mark in front, UTF-16, UTF-32, as in Flask
        except (ValueError, RecursionError) as error:
            if silent:
                return None
            raise BadRequest("The request body is not JSON: %s" % error) from error

    @property
    def json(self) -> Any:
        return self.get_json()

    def _parsed_form(self) -> Tuple[MultiDict, MultiDict]:
        if self._form is None:
            fields: Any = []
            files: Any = []
            if self.mimetype == _FORM:
                text = self._body.decode("utf-8", "replace")
                fields = _pairs(text)
            elif self.mimetype == _MULTIPART:
                try:
                    fields, files = multipart.parse(self._body, self.content_type or "")
                except multipart.MalformedForm as error:
                    raise BadRequest(str(error)) from error
            self._form = (MultiDict(fields, "form field"), MultiDict(files, "file"))
        return self._form

    @property
    def form(self) -> MultiDict:
        """The fields of a posted form."""
        return self._parsed_form()[0]

    @property
    def files(self) -> MultiDict:
        """The files of a posted multipart form."""
        return self._parsed_form()[1]

    @property
    def values(self) -> MultiDict:
        """Query and form together, the query first."""
        return MultiDict(self.args._pairs + self.form._pairs, "query parameter or form field")

    @property
    def environ(self) -> Dict[str, Any]:
        """The request as WSGI has it, for scripts that look there."""
        found = {
            "REQUEST_METHOD": self.method,
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query_string.decode("latin-1"),
            "RAW_URI": self._target,
            "SCRIPT_NAME": "",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": self.host.rpartition(":")[0] or self.host,
            "SERVER_PORT": self.host.rpartition(":")[2] if ":" in self.host else "443" if self.is_secure else "80",
            "REMOTE_ADDR": self.remote_addr,
            "wsgi.url_scheme": self.scheme,
            "wsgi.input": self.stream,
        }  # type: Dict[str, Any]
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            found[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
        return found

    def __repr__(self) -> str:
        return "<Request '%s' [%s]>" % (self.url, self.method)


def _kept(error: UnicodeError) -> Tuple[str, int]:
    """Leave bytes as they were sent that are no UTF-8, as Flask does."""
    assert isinstance(error, UnicodeDecodeError)
    return quote(error.object[error.start : error.end]), error.end


def _pairs(text: str) -> List[Tuple[str, str]]:
    """Read what is encoded as a query."""
    codecs.register_error("sendoff.kept", _kept)
    return parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="sendoff.kept")


def _readable(text: str) -> str:
    """Show percent-encoded letters beyond ASCII as letters, where they are UTF-8."""

    def letters(found: Any) -> str:
        try:
            return unquote(found.group(), errors="strict")
        except UnicodeDecodeError:
            return str(found.group())

    return _BEYOND_ASCII.sub(letters, text)
