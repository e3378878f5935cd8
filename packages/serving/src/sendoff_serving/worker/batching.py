"""Several requests as one call of run(), for scripts that say they work row by row (setting ``max_batch_rows``).

A request can join others when its body is a JSON object of one member whose value is a list of rows. The rows of
all are handed to run() as one list, and what it returns is cut back into the parts. Where that cannot be done, or
run() raises, each request is run alone, so one bad request fails alone.
"""

import json
import re
import sys
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Union

from sendoff_serving.protocol import Frame, RunFlag

from . import inference
from .answer import Answer, Refusal, fault
from .coroutines import awaited
from .encoding import number_list
from .invoke import Invoker
from .script import RAW, SCHEMA

Outcome = Union[Answer, Refusal]
Finish = Callable[[Any, float], Answer]


# An object of one member that holds a list, in JSON's own white space; escapes in the name are left to the parser.
_SPACE = r"[ \t\r\n]*"
_ONE_LIST = re.compile(
    r'%s\{%s"([^"\\\x00-\x1f]*)"%s:%s\[(.*)\]%s\}%s\Z' % ((_SPACE,) * 6),
    re.DOTALL,
)
# What a row of numbers is made of, but for its brackets.
_OF_NUMBERS = b"0123456789+-.eE, \t\r\n"
_OPEN, _CLOSE = b"[]"


class Request:
    """One request that may join others.

    Attributes:
        frame: its frame.
        finish: makes its answer from its part of the result and the seconds in run().
        key: the member that holds the rows; None for a request that is run alone.
        size: how many rows.
        rows: the rows, where they have been parsed.
        text: the rows as JSON, without the brackets around them; where that can be, as the caller wrote them.
    """

    __slots__ = ("finish", "frame", "key", "rows", "size", "text")

    def __init__(
        self,
        frame: Frame,
        finish: Finish,
        key: Optional[str] = None,
        size: int = 0,
        text: bytes = b"",
        rows: Optional[Sequence[Any]] = None,
    ) -> None:
        self.frame = frame
        self.finish = finish
        self.key = key
        self.size = size
        self.text = text
        self.rows = rows


class Batch:
    """Requests that are run together.

    Attributes:
        requests: they, in their order.
        key: the member that holds the rows; None for a request that is run alone.
        size: rows of all requests together.
    """

    __slots__ = ("key", "requests", "size")

    def __init__(self, request: Request) -> None:
        self.requests = [request]
        self.key = request.key
        self.size = request.size

    def keep(self, places: List[int]) -> None:
        """Leave out the requests that are not at the given places."""
        if len(places) < len(self.requests):
            self.requests = [self.requests[place] for place in places]
            self.size = sum(request.size for request in self.requests)


class Joined(NamedTuple):
    """What becomes of requests of one row each for which a script returned a list of numbers.

    Attributes:
        seconds: in run(), of all together.
        bodies: JSON of each answer.
    """

    seconds: float
    bodies: List[bytes]


class Batcher:
    """Joins requests and runs them.

    Args:
        invoker: calls the script, runs requests that stay alone, and encodes results.
        max_rows: most rows of one call.
        max_wait: seconds that the first request waits for others.

    Attributes:
        batches: calls of run() that served several requests; joined: how many requests those were.
    """

    def __init__(self, invoker: Invoker, max_rows: int, max_wait: float) -> None:
        script = self._script = invoker.script
        self._invoker = invoker
        self._finish: Finish = invoker.encoded
        self.max_rows = max_rows
        self.max_wait = max_wait
        self.batches = self.joined = 0
        self._off = script.shape == RAW or script.wants_headers
        # Clients write the same before and after their rows each time: the last such, and the name that is in it.
        self._around = (b"", b"", "")

    def read(self, frames: Sequence[Frame]) -> List[Request]:
        """Look at requests: whether each can join others, by which member, with which rows."""
        finish = self._finish
        before, after, name = self._around
        if self._off or not before:
            return [self._parsed(frame) for frame in frames]
        start, end = len(before), -len(after)
        requests: List[Request] = []
        for frame in frames:
            body = frame.bodies[0]
            if body.startswith(before) and body.endswith(after) and not frame.code & RunFlag.REQUEST:
                text = body[start:end]
                # One list of nothing but numbers. Nothing in it ends it early, so it can stand among others; whether
                # they are well written is for the script to see, and then each is run alone.
                if text.translate(None, _OF_NUMBERS) == b"[]" and text[0] == _OPEN and text[-1] == _CLOSE:
                    requests.append(Request(frame, finish, name, 1, text))
                    continue
            requests.append(self._parsed(frame))
        return requests

    def _parsed(self, frame: Frame) -> Request:
        finish = self._finish
        alone = Request(frame, finish)
        if self._off:
            return alone
        text: Optional[str] = None
        try:
            found = None
            if frame.code & RunFlag.REQUEST:
                request = json.loads(frame.bodies[1].decode("utf-8"))
                if "inference" not in request or self._invoker.models is not None:
                    return alone
                given, finish = inference.joinable(self._invoker, frame.bodies[0], request)
            else:
                body = frame.bodies[0].decode("utf-8")
                found = _ONE_LIST.match(body)
                given = {} if found else json.loads(body)
            if found:
                # The list parses by itself, so nothing in it ends it early: it can stand among others as it is.
                key, text = found.groups()
                rows = json.loads("[%s]" % text)
                if self._script.shape != SCHEMA:
                    start, end = found.span(2)
                    self._around = (body[:start].encode("utf-8"), body[end:].encode("utf-8"), key)
            else:
                if not isinstance(given, dict) or len(given) != 1:
                    return alone
                key, rows = next(iter(given.items()))
        except Exception:  # whatever is wrong with it: run alone, it gets its own error
            return alone
        if not isinstance(rows, list) or not 0 < len(rows) <= self.max_rows:
            return alone
        if self._script.shape == SCHEMA:
            if key not in self._script.parameters or any(name != key for name in self._script.required):
                return alone
        elif text is None:
            text = json.dumps(rows)[1:-1]
        return Request(frame, finish, key, len(rows), (text or "").encode("utf-8"), rows)

    def first(self, requests: List[Request]) -> Batch:
        """Return the first batch of some requests: as many as fit, in their order, of no more rows than the limit."""
        batch = Batch(requests[0])
        key, size, most, count = batch.key, batch.size, self.max_rows, 1
        if key is not None:
            for request in requests[1:]:
                if request.key != key or size + request.size > most:
                    break
                count += 1
                size += request.size
            batch.requests = requests[:count]
            batch.size = size
        return batch

    def run(self, batch: Batch) -> Union[List[Outcome], Joined]:
        """Run a batch and return what becomes of each of its requests."""
        if len(batch.requests) > 1:
            together = self._together(batch)
            if together is not None:
                self.batches += 1
                self.joined += len(batch.requests)
                return together
        return [self._alone(request.frame) for request in batch.requests]

    def _alone(self, frame: Frame) -> Outcome:
        try:
            request = json.loads(frame.bodies[1].decode("utf-8")) if frame.code & RunFlag.REQUEST else None
            return self._invoker.answer(frame.bodies[0], request)
        except Refusal as refusal:
            return refusal
        except Exception as error:
            return fault(error)

    def _together(self, batch: Batch) -> Union[None, List[Outcome], Joined]:
        script = self._script
        key = str(batch.key)
        if script.shape == SCHEMA:
            arguments: Dict[str, Any] = {key: [row for request in batch.requests for row in request.rows or ()]}
            self._invoker.convert_arrays(arguments)
        else:
            rows = b", ".join([request.text for request in batch.requests]).decode("utf-8")
            arguments = {script.input_parameter: "{%s: [%s]}" % (json.dumps(key), rows)}
        start = time.perf_counter()
        try:
            value = awaited(script.run(**arguments))
        except BaseException:
            return None  # each is run alone: the one that is wrong gets its own error
        seconds = time.perf_counter() - start
        if batch.size == len(batch.requests) and type(value) is list and len(value) == batch.size:
            finish = self._finish
            try:
                texts = numbers(value)
            except ValueError:  # more digits than Python writes: the answer that has them is refused alone
                texts = None
            if texts is not None and all([request.finish is finish for request in batch.requests]):
                self._invoker.rows += batch.size
                return Joined(seconds, texts)
        try:
            parts = split(value, [request.size for request in batch.requests])
        except Exception:  # an object that cannot be cut, or answers questions about itself with an exception
            parts = None
        if parts is None:
            if not isinstance(value, str) and all(map(_is_json, batch.requests)):
                self._off = True
                sys.stderr.write(
                    "run() does not give one result for each row, so requests are no longer run together "
                    "(setting max_batch_rows)\n"
                )
            return None
        outcomes: List[Outcome] = []
        for part, request in zip(parts, batch.requests):
            try:
                outcomes.append(request.finish(part, seconds))
            except Refusal as refusal:
                outcomes.append(refusal)
            except Exception as error:
                outcomes.append(fault(error))
        return outcomes


def _is_json(request: Request) -> bool:
    """Whether a request's rows are JSON, where that was left to the script: it may have answered that they are not."""
    if request.rows is not None:
        return True
    try:
        json.loads(request.text.decode("utf-8"))
    except ValueError:
        return False
    return True


def numbers(values: List[Any]) -> Optional[List[bytes]]:
    """Return the JSON of a list of each item alone; None unless all are finite numbers."""
    text = number_list(values)
    return None if text is None else text.replace(", ", "]\n[").encode("ascii").split(b"\n")


def split(value: Any, counts: List[int]) -> Optional[List[Any]]:
    """Cut a result into parts of given lengths; None if it does not hold one item for each row.

    Lists, tuples, numpy arrays, pandas frames and series are cut; an object is cut member by member.
    """
    total = sum(counts)
    if isinstance(value, dict):
        if not value:
            return None
        members = {name: split(item, counts) for name, item in value.items()}
        if any(parts is None for parts in members.values()):
            return None
        return [{name: parts[index] for name, parts in members.items() if parts} for index in range(len(counts))]
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        return None
    try:
        if len(value) != total:
            return None
    except TypeError:
        return None
    source = value.iloc if hasattr(value, "iloc") else value
    parts, at = [], 0
    for count in counts:
        parts.append(source[at : at + count])
        at += count
    return parts
