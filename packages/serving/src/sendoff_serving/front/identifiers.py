"""Request ids: which header of a request names it, and which headers of the answer say so.

The table is that of spec/scoring-server.md sec. 7.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from ..errors import Refusal

MAX_LENGTH = 100
# The id of lines that belong to no request, such as those of init().
NO_REQUEST = "00000000-0000-0000-0000-000000000000"

_random = random.SystemRandom().getrandbits


class _Guids:
    """Version 4 UUIDs, with randomness fetched for many at a time."""

    def __init__(self) -> None:
        self._digits = ""

    def next(self) -> str:
        if len(self._digits) < 32:
            self._digits = f"{_random(128 * 64):0{32 * 64}x}"
        d, self._digits = self._digits[:32], self._digits[32:]
        return f"{d[:8]}-{d[8:12]}-4{d[13:16]}-{'89ab'[int(d[16], 16) & 3]}{d[17:20]}-{d[20:]}"


_guids = _Guids()
new_guid = _guids.next


class Identifiers:
    """The ids of one request.

    Attributes:
        request_id: what the log calls the request.
        lines: header lines of the answer, each ended with CR LF.
        legacy: whether the request used the deprecated x-ms-request-id.
    """

    __slots__ = ("legacy", "lines", "request_id")

    def __init__(self, known: Mapping[bytes, bytes]) -> None:
        given = known.get(b"x-request-id")
        older = known.get(b"x-ms-request-id")
        client = known.get(b"x-ms-client-request-id")
        self.request_id = given.decode("latin-1") if given else new_guid()
        self.legacy = bool(older)
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

    def refusal(self, known: Mapping[bytes, bytes]) -> Refusal | None:
        """Refuse ids that are too long, and take them out of the answer's headers."""
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
