"""What becomes of a request in the worker: an answer, or a refusal."""

from typing import Any, Dict, Iterator, List, Optional, Tuple

from . import failure


class Refusal(Exception):
    """The request is answered with an error.

    Args:
        status: HTTP status.
        code: stable error code (docs/scoring-server.md).
        message: sentence for the caller.
        more: further members of the ERROR frame, such as "hint" and "traceback".
    """

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        Exception.__init__(self, message)
        self.status = status
        self.content: Dict[str, Any] = dict(more, code=code, message=message)


def fault(error: Exception) -> Refusal:
    """Return the refusal for an exception that nothing else has taken: it must not end the worker."""
    return Refusal(500, "internal_error", "The answer could not be made", traceback=failure.text_of(error))


class Answer:
    """What goes back: status, body or pieces, headers, and what the front must know of it."""

    __slots__ = ("body", "failed", "headers", "non_finite", "pieces", "seconds", "status")

    def __init__(
        self,
        seconds: float,
        body: bytes = b"",
        status: int = 200,
        headers: Optional[List[Tuple[str, str]]] = None,
        pieces: Optional[Iterator[Any]] = None,
        failed: bool = False,
        non_finite: bool = False,
    ) -> None:
        self.seconds = seconds
        self.body = body
        self.status = status
        self.headers = headers
        self.pieces = pieces
        self.failed = failed
        self.non_finite = non_finite


def rows_of(value: Any) -> int:
    """Return the rows of what run() returned, for the counter in /metrics.

    The length of a list, array, frame or series, also where it is the only member of an object; none for None; one
    for anything else.
    """
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    if value is None:
        return 0
    if isinstance(value, (str, bytes, dict)):
        return 1
    try:
        return len(value)
    except Exception:  # an array without dimensions, an object that answers in its own way
        return 1
