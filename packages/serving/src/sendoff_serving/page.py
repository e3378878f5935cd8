"""The page of memory that a front and one of its workers share (docs/protocol.md, "The shared page").

Each field is one aligned machine word with one writer, so it is never read half-written. Both sides import this
file: Python 3.6 and the standard library alone.
"""

import mmap
import os
import threading
from typing import List, Tuple

SIZE = 4096
# Where the file is memory, this much follows the page for bodies of requests, and as much again for answers.
ROOM = 16 << 20
# A worker holds no more requests than this at once; each has a place of its own for the front's withdrawal.
PLACES = 64

_RUNNING = 0
_SINCE = 1
_UNREAD_STREAM = 2
_ROWS = 3
_BEGUN = 4
_BATCHES = 5
_JOINED = 6
_WITHDRAWN = 8
_GIVEN_BACK = _WITHDRAWN + PLACES


def make_file() -> Tuple[int, bool]:
    """Make the file for a new worker; for the front.

    Returns:
        Its descriptor, and whether it has rooms for large bodies: where the platform has files of memory and the
        process may have one of that size (``ulimit -f``). They cost nothing until a body is laid there.
    """
    if not hasattr(os, "memfd_create"):
        import tempfile

        descriptor, name = tempfile.mkstemp()
        os.unlink(name)  # noqa: PTH108 - a descriptor's file, not a path we keep
        os.ftruncate(descriptor, SIZE)
        return descriptor, False
    descriptor = os.memfd_create("sendoff-worker")
    try:
        os.ftruncate(descriptor, SIZE + 2 * ROOM)
    except OSError:
        os.ftruncate(descriptor, SIZE)
        return descriptor, False
    return descriptor, True


class Page:
    """One side's view of the page.

    A request is named by its id where people look for it, and by its order where it is counted: the first RUN frame
    on a worker's socket has order 1, the next 2. Frames are begun in their order.

    Args:
        descriptor: a file of ``SIZE`` bytes or of that and twice ``ROOM``, the same on both sides; stays open.

    Attributes:
        requests: room for large bodies of requests, written by the front; answers: of answers, by the worker.
    """

    def __init__(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        self._map = mmap.mmap(descriptor, size)
        self._bytes = memoryview(self._map)
        self._words = self._bytes[:SIZE].cast("Q")
        self._seconds = self._bytes[:SIZE].cast("d")
        room = (size - SIZE) // 2
        self.requests = self._bytes[SIZE : SIZE + room]
        self.answers = self._bytes[SIZE + room : SIZE + 2 * room]
        # Taking it keeps the processor from reading before it has written.
        self._fence = threading.Lock()

    def close(self) -> None:
        """Give the memory back."""
        try:
            for view in (self._words, self._seconds, self.requests, self.answers, self._bytes):
                view.release()
            self._map.close()
        except BufferError:
            return  # a client is still being sent an answer out of it; it goes with the last of them

    # Written by the worker

    def begin(self, order: int, request_id: int, now: float) -> bool:
        """Begin with a request; False if the front has withdrawn it, which must not be run then."""
        words = self._words
        words[_RUNNING] = request_id
        self._seconds[_SINCE] = now
        words[_BEGUN] = order
        with self._fence:
            return words[_WITHDRAWN + order % PLACES] != order

    def begin_all(self, first: int, last: int, request_id: int, now: float) -> List[int]:
        """Begin with several requests at once, as ``begin``; returns the orders of those that must not be run."""
        self.begin(last, request_id, now)
        words = self._words
        return [order for order in range(first, last + 1) if words[_WITHDRAWN + order % PLACES] == order]

    def rest(self) -> None:
        """Say that nothing runs."""
        self._words[_RUNNING] = 0

    def count(self, rows: int) -> None:
        """Say how many rows all results had so far."""
        self._words[_ROWS] = rows

    def count_batches(self, batches: int, requests: int) -> None:
        """Say how many calls of run() were for several requests so far, and for how many."""
        self._words[_BATCHES] = batches
        self._words[_JOINED] = requests

    def is_unread(self, request_id: int) -> bool:
        """Whether the front says that nobody reads this request's stream any more."""
        return self._words[_UNREAD_STREAM] == request_id

    def is_given_back(self, order: int) -> bool:
        """Whether the front has no more use for an answer that was laid into the room."""
        return self._words[_GIVEN_BACK + order % PLACES] == order

    # Written by the front

    def give_back(self, order: int) -> None:
        """Say that an answer in the room is sent."""
        self._words[_GIVEN_BACK + order % PLACES] = order

    def empty_rooms(self) -> None:
        """Give the memory of the rooms back to the machine; nothing may lie in them."""
        if hasattr(mmap, "MADV_REMOVE") and self.requests:
            self._map.madvise(mmap.MADV_REMOVE, SIZE, 2 * len(self.requests))

    def withdraw(self, order: int) -> bool:
        """Take a request back; False if the worker has begun with it.

        Both sides write before they read, so either the worker sees the withdrawal before it runs the request, or
        the front sees that it was begun. Where both see it, the worker skips it and says so.
        """
        self._words[_WITHDRAWN + order % PLACES] = order
        with self._fence:
            return order > self._words[_BEGUN]

    def unread(self, request_id: int) -> None:
        """Say that nobody reads a request's stream any more."""
        self._words[_UNREAD_STREAM] = request_id

    # Read by the front

    @property
    def running(self) -> int:
        """Id of the request that runs, 0 for none."""
        return self._words[_RUNNING]

    @property
    def begun(self) -> int:
        """Order of the last request that was begun."""
        return self._words[_BEGUN]

    @property
    def rows(self) -> int:
        """Rows of all results so far."""
        return self._words[_ROWS]

    @property
    def batches(self) -> Tuple[int, int]:
        """Calls of run() for several requests, and how many requests those were."""
        words = self._words
        return words[_BATCHES], words[_JOINED]
