"""multipart/form-data: the fields and files of an uploaded form."""

import io
import re
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union
from urllib.parse import unquote

from .mappings import Content, Headers

# Only \" and \\ are escapes: Internet Explorer sends whole paths, C:\pictures\cat.jpg.
_PARAMETER = re.compile(
    r""";[ \t]*([\w!#$%&'*+.^`|~-]+)=([\w!#$%&'*+.^`|~-]+|"(?:\\["\\]|\\(?!["\\])|[^"\\])*")""", re.ASCII
)
# filename*0="…", filename*1*=… : parts of one value, and a charset (RFC 2231).
_MARK = re.compile(r"(?:\*(\d+))?(\*)?$", re.ASCII)
_CHARSET = re.compile(r"([\w!#$%&*+.^`|~-]*)'[^']*'(.*)$", re.ASCII)
_CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})
_BLANK = re.compile(b"\r\n\r\n|\r\r|\n\n")
_CONTINUED = re.compile(b"(?:\r\n|\n|\r)[ \t]")
# What may stand behind a boundary: the end of the form, or blanks and the end of the line.
_EDGE = re.compile(rb"(--)?[^\S\r\n]*(?:\r\n|\n|\r|$)")


class MalformedForm(ValueError):
    """The body is not the multipart form that its content type promises."""


class UploadedFile(Content):
    """One uploaded file: ``filename``, ``name``, ``content_type``, ``stream``, ``read()``, ``save()``."""

    def __init__(self, content: bytes, filename: str, name: str, headers: Headers) -> None:
        self.stream = io.BytesIO(content)
        self.filename = filename
        self.name = name
        self.headers = headers

    @property
    def content_length(self) -> int:
        return len(self.stream.getvalue())

    def save(self, destination: Any, buffer_size: int = 16384) -> None:
        """Write the file to a path or to an open binary file."""
        if hasattr(destination, "write"):
            destination.write(self.stream.getvalue())
        else:
            with open(str(destination), "wb") as file:
                file.write(self.stream.getvalue())

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.stream, attribute)

    def __iter__(self) -> Any:
        return iter(self.stream)

    def __bool__(self) -> bool:
        return bool(self.filename)

    def __repr__(self) -> str:
        return "<FileStorage: %r (%r)>" % (self.filename, self.content_type)


def parameters(header: str) -> Tuple[str, Dict[str, str]]:
    """Split a header value such as a content type into its value and its parameters."""
    value, semicolon, rest = header.partition(";")
    found: Dict[str, str] = {}
    charsets: Dict[str, str] = {}
    for match in _PARAMETER.finditer(semicolon + rest):
        name, text = match.group(1).lower(), match.group(2)
        mark: Any = _MARK.search(name)
        part, encoded = mark.group(1), mark.group(2)
        name = name[: mark.start()]
        if encoded:
            stated = _CHARSET.match(text)
            if stated is not None:
                charsets[name], text = stated.group(1).lower(), stated.group(2)
            if charsets.get(name) in _CHARSETS:
                text = unquote(text, encoding=charsets[name])
        elif text.startswith('"'):
            text = text[1:-1].replace("\\\\", "\\").replace('\\"', '"').replace("%22", '"')
        found[name] = (found.get(name, "") if part is not None and part != "0" else "") + text
    return value.strip(), found


def _part(head: bytes, content: bytes) -> Optional[Tuple[str, Union[str, UploadedFile]]]:
    headers = Headers()
    for line in _CONTINUED.sub(b" ", head).splitlines():
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if colon:
            headers.add(name.strip(), value.strip())
    _, given = parameters(headers.get("Content-Disposition", ""))
    if "name" not in given:
        return None
    if "filename" in given:
        return given["name"], UploadedFile(content, given["filename"], given["name"], headers)
    charset = parameters(headers.get("Content-Type", ""))[1].get("charset", "").lower()
    return given["name"], content.decode(charset if charset in _CHARSETS else "utf-8", "replace")


def _edges(body: bytes, boundary: bytes) -> Iterator[Tuple[int, int, bool]]:
    """Yield the boundaries of a body: where the line before ends, where the part begins, whether it is the last."""
    marker = b"--" + boundary
    at = body.find(marker)
    while at >= 0:
        edge = _EDGE.match(body, at + len(marker))
        if edge is not None and (at == 0 or body[at - 1 : at] in (b"\n", b"\r")):
            yield at - (2 if body[at - 2 : at] == b"\r\n" else 1), edge.end(), edge.group(1) is not None
        at = body.find(marker, at + len(marker))


def parse(body: bytes, content_type: str) -> Tuple[List[Tuple[str, str]], List[Tuple[str, UploadedFile]]]:
    """Return the fields and the files of a form.

    Args:
        body: the whole request body.
        content_type: the Content-Type header, which names the boundary.

    Raises:
        MalformedForm: no boundary, or a part that cannot be read.
    """
    boundary = parameters(content_type)[1].get("boundary")
    if not boundary:
        raise MalformedForm("the content type of the form names no boundary")
    fields: List[Tuple[str, str]] = []
    files: List[Tuple[str, UploadedFile]] = []
    begins = -1
    for ended, begun, last in _edges(body, boundary.encode("latin-1")):
        if begins >= 0:
            blank = _BLANK.search(body, begins)
            # The blank line may end with the line before the boundary: a part without content.
            if blank is None or (blank.start() + blank.end()) // 2 > ended:
                raise MalformedForm("a part of the form has no end of its headers")
            part = _part(body[begins : blank.start()], body[blank.end() : max(ended, blank.end())])
            if part is not None and isinstance(part[1], UploadedFile):
                files.append((part[0], part[1]))
            elif part is not None:
                fields.append((part[0], str(part[1])))
        if last:
            return fields, files
        begins = begun
    raise MalformedForm("the form does not end with its boundary")
