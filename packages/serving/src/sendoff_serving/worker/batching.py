"""Several requests as one call of run(), for scripts that say they work row by row (setting ``max_batch_rows``).

A request can join others when its body is a JSON object of one member whose value is a list of rows. The rows of
all are handed to run() as one list, and what it returns is cut back into the parts. Where that cannot be done, or
run() raises, each request is run alone, so one bad request fails alone.
"""

import json
import sys
import time
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from sendoff_serving.protocol import Frame, RunFlag

from . import inference
from .invoke import Answer, Invoker, Refusal, fault
from .script import RAW, SCHEMA, EntryScript

Outcome = Union[Answer, Refusal]
Finish = Callable[[Any, float], Answer]


class Batch:
    """Requests that are run together.

    Attributes:
        frames: their frames, in order.
        key: the member that holds the rows; None for a request that is run alone.
        rows: the rows of each.
        finish: makes the answer of each from its part of the result and the seconds in run().
    """

    __slots__ = ("finish", "frames", "key", "rows")

    def __init__(self, frame: Frame, key: Optional[str], rows: List[Any], finish: Finish) -> None:
        self.frames = [frame]
        self.key = key
        self.rows = [rows]
        self.finish = [finish]

    @property
    def size(self) -> int:
        """Rows of all requests together."""
        return sum(map(len, self.rows))

    def keep(self, places: List[int]) -> None:
        """Leave out the requests that are not at the given places."""
        if len(places) < len(self.frames):
            self.frames = [self.frames[place] for place in places]
            self.rows = [self.rows[place] for place in places]
            self.finish = [self.finish[place] for place in places]


class Batcher:
    """Joins requests and runs them.

    Args:
        script: the script.
        invoker: runs requests that stay alone, and encodes results.
        max_rows: most rows of one call.
        max_wait: seconds that the first request waits for others.
        noted: told the rows of each call that served several requests.
    """

    def __init__(
        self,
        script: EntryScript,
        invoker: Invoker,
        max_rows: int,
        max_wait: float,
        noted: Callable[[int, int], None],
    ) -> None:
        self._script = script
        self._invoker = invoker
        self._noted = noted
        self.max_rows = max_rows
        self.max_wait = max_wait
        self._off = script.shape == RAW or script.wants_headers

    def rows_of(self, frame: Frame) -> Tuple[Optional[str], List[Any], Finish]:
        """Return the member and the rows of a request that can join others, else None and nothing; and its finish."""
        finish: Finish = self._invoker.encoded
        alone: Tuple[Optional[str], List[Any], Finish] = (None, [], finish)
        if self._off:
            return alone
        try:
            if frame.code & RunFlag.REQUEST:
                request = json.loads(frame.bodies[1].decode("utf-8"))
                if "inference" not in request or self._invoker.models is not None:
                    return alone
                given, finish = inference.joinable(self._invoker, frame.bodies[0], request)
            else:
                given = json.loads(frame.bodies[0].decode("utf-8"))
        except Exception:  # whatever is wrong with it: run alone, it gets its own error
            return alone
        if not isinstance(given, dict) or len(given) != 1:
            return alone
        key, rows = next(iter(given.items()))
        if not isinstance(rows, list) or not 0 < len(rows) <= self.max_rows:
            return alone
        if self._script.shape == SCHEMA and (
            key not in self._script.parameters or any(name != key for name in self._script.required)
        ):
            return alone
        return key, rows, finish

    def plan(self, frames: List[Frame]) -> List[Batch]:
        """Cut frames into batches, in their order, none of more rows than the limit."""
        batches: List[Batch] = []
        for frame in frames:
            key, rows, finish = self.rows_of(frame)
            last = batches[-1] if batches else None
            if key is not None and last is not None and last.key == key and last.size + len(rows) <= self.max_rows:
                last.frames.append(frame)
                last.rows.append(rows)
                last.finish.append(finish)
            else:
                batches.append(Batch(frame, key, rows, finish))
        return batches

    def run(self, batch: Batch) -> List[Outcome]:
        """Run a batch and return what becomes of each of its requests."""
        if len(batch.frames) > 1:
            together = self._together(batch)
            if together is not None:
                self._noted(len(batch.frames), batch.size)
                return together
        return [self._alone(frame) for frame in batch.frames]

    def _alone(self, frame: Frame) -> Outcome:
        try:
            request = json.loads(frame.bodies[1].decode("utf-8")) if frame.code & RunFlag.REQUEST else None
            return self._invoker.answer(frame.bodies[0], request)
        except Refusal as refusal:
            return refusal
        except Exception as error:
            return fault(error)

    def _together(self, batch: Batch) -> Optional[List[Outcome]]:
        script = self._script
        rows = [row for part in batch.rows for row in part]
        key = str(batch.key)
        if script.shape == SCHEMA:
            arguments: Dict[str, Any] = {key: rows}
            self._invoker.convert_arrays(arguments)
        else:
            arguments = {script.input_parameter: json.dumps({key: rows})}
        start = time.perf_counter()
        try:
            value = script.run(**arguments)
        except BaseException:
            return None  # each is run alone: the one that is wrong gets its own error
        seconds = time.perf_counter() - start
        try:
            parts = split(value, [len(part) for part in batch.rows])
        except Exception:  # an object that cannot be cut, or answers questions about itself with an exception
            parts = None
        if parts is None:
            if not isinstance(value, str):
                self._off = True
                sys.stderr.write(
                    "run() does not give one result for each row, so requests are no longer run together "
                    "(setting max_batch_rows)\n"
                )
            return None
        outcomes: List[Outcome] = []
        for part, finish in zip(parts, batch.finish):
            try:
                outcomes.append(finish(part, seconds))
            except Refusal as refusal:
                outcomes.append(refusal)
            except Exception as error:
                outcomes.append(fault(error))
        return outcomes


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
