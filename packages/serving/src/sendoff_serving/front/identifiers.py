"""Request ids: which header of a request names it, and which headers of the answer say so.

The table is that of spec/scoring-server.md sec. 7.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..errors import Refusal

MAX_LENGTH = 100
# The id of lines that belong to no request, such as those of init().
NO_REQUEST = "00000000-0000-0000-0000-000000000000"

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_guids: list[str] = []


def new_guid() -> str:
    """Return a version 4 UUID; they are made a hundred at a time."""
    if not _guids:
        d = os.urandom(1600).hex()
        _guids.extend(
            f"{d[n : n + 8]}-{d[n + 8 : n + 12]}-4{d[n + 13 : n + 16]}-{_VARIANT[d[n + 16]]}{d[n + 17 : n + 20]}-"
            f"{d[n + 20 : n + 32]}"
            for n in range(0, 3200, 32)
        )
    return _guids.pop()


GIVEN = frozenset({b"x-request-id", b"x-ms-request-id", b"x-ms-client-request-id", b"traceid"})


class Identifiers:
    """The ids of one request.

    Attributes:
        request_id: what the log calls the request.
        lines: header lines of the answer, each ended with CR LF.
        legacy: whether the request used the deprecated x-ms-request-id.
    """

    __slots__ = ("_given", "legacy", "lines", "request_id")

    def __init__(self, known: Mapping[bytes, bytes]) -> None:
        given = known.get(b"x-request-id")
        older = known.get(b"x-ms-request-id")
        client = known.get(b"x-ms-client-request-id")
        self.request_id = given.decode("latin-1") if given else new_guid()
        self.legacy = bool(older)
        self._given = bool(given or older or client)
        if not older and not client:
            self.lines = f"x-request-id: {self.request_id}\r\nx-ms-request-id: {self.request_id}\r\n"
        else:
            first, second = (older or client or b"").decode("latin-1"), (client or older or b"").decode("latin-1")
            self.lines = (
                f"x-request-id: {self.request_id}\r\nx-ms-request-id: {first}\r\nx-ms-client-request-id: {second}\r\n"
            )
        trace = known.get(b"traceid")
        if trace:
            self.lines += f"TraceId: {trace.decode('latin-1')}\r\n"

    @classmethod
    def made(cls) -> Identifiers:
        """Return the ids of a request that gives none."""
        ids = cls.__new__(cls)
        name = ids.request_id = _guids.pop() if _guids else new_guid()
        ids.lines = f"x-request-id: {name}\r\nx-ms-request-id: {name}\r\n"
        ids.legacy = ids._given = False
        return ids

    def refusal(self, known: Mapping[bytes, bytes]) -> Refusal | None:
        """Refuse ids that are too long, and take them out of the answer's headers."""
        if not self._given:
            return None
        if len(self.request_id) > MAX_LENGTH:
            self.request_id, self.lines = new_guid(), ""
            return Refusal("request_id_too_long", f"x-request-id must not exceed {MAX_LENGTH} characters")
        longest = max(len(known.get(b"x-ms-request-id", b"")), len(known.get(b"x-ms-client-request-id", b"")))
        if longest > MAX_LENGTH:
            self.lines = f"x-request-id: {self.request_id}\r\n"
            return Refusal(
                "request_id_too_long",
                f"x-ms-request-id and x-ms-client-request-id must not exceed {MAX_LENGTH} characters",
            )
        return None
