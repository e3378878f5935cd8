"""multipart/form-data: the fields and files of an uploaded form."""

import io
import re
from typing import Any, Dict, List, Optional, Tuple, Union

from .mappings import Content, Headers

_PARAMETER = re.compile(r';\s*([\w!#$%&*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


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
    found = {}
    for match in _PARAMETER.finditer(semicolon + rest):
        text = match.group(2).strip()
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        found[match.group(1).lower()] = text
    return value.strip(), found


def _part(raw: bytes) -> Optional[Tuple[str, Union[str, UploadedFile]]]:
    head, blank, content = raw.partition(b"\r\n\r\n")
    if not blank:
        raise MalformedForm("a part of the form has no end of its headers")
    headers = Headers()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers.add(name.strip(), value.strip())
    _, given = parameters(headers.get("Content-Disposition", ""))
    if "name" not in given:
        return None
    if "filename" in given:
        return given["name"], UploadedFile(content, given["filename"], given["name"], headers)
    return given["name"], content.decode("utf-8", "replace")


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
    marker = b"--" + boundary.encode("latin-1")
    pieces = (b"\r\n" + body).split(b"\r\n" + marker)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise MalformedForm("the form does not end with its boundary")
    fields: List[Tuple[str, str]] = []
    files: List[Tuple[str, UploadedFile]] = []
    for piece in pieces[1:-1]:
        part = _part(piece.lstrip(b" \t").partition(b"\r\n")[2])
        if part is None:
            continue
        name, value = part
        if isinstance(value, UploadedFile):
            files.append((name, value))
        else:
            fields.append((name, value))
    return fields, files
