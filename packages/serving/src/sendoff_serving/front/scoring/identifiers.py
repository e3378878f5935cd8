"""Request ids: which header of a request names it, and which headers of the answer say so.

The table is that of spec/scoring-server.md sec. 7.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Mapping

from ...errors import Refusal

MAX_LENGTH = 100


def _numbered() -> Callable[[], str]:
    """Return what makes ids: random ones but for their last twelve digits, which count from a random start."""
    start = str(uuid.uuid4())
    first, following = start[:24], itertools.count(int(start[24:], 16)).__next__
    return lambda: f"{first}{following() & 0xFFFFFFFFFFFF:012x}"


# Returns a version 4 UUID that no other server gives either; a random one for each request costs four times as much.
new_guid = _numbered()

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
    def of(cls, name: str) -> Identifiers:
        """Return the ids of a request that gave none and was given this one."""
        ids = cls({b"x-request-id": name.encode("ascii")})
        ids._given = False
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
