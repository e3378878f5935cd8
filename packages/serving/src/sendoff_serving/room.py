"""Room in the shared memory file for large bodies, which then do not go through the socket (docs/protocol.md).

One side lays bodies into a room and the other reads them. The room is a ring: a body is laid behind the last, and the
oldest place is free again when the reader has given it back. A body that finds no place goes through the socket. Both
sides import this file: Python 3.6 and the standard library alone.
"""

import struct
from collections import deque
from typing import Callable, Deque, Iterable, Optional, Tuple

from .page import PLACES
from .protocol import LARGE, Buffer, ProtocolError

_REFERENCE = struct.Struct("<QQQ")


class Room:
    """The writer's view of a room.

    Args:
        memory: the memory; empty where there is none.
        is_free: whether the reader has given back the place of a given order.
    """

    def __init__(self, memory: memoryview, is_free: Callable[[int], bool]) -> None:
        self._memory = memory
        self._size = len(memory)
        self._is_free = is_free
        self._live: Deque[Tuple[int, int, int]] = deque()
        self._order = 0

    def lay(self, pieces: Iterable[Buffer], size: int) -> Optional[Tuple[int, bytes]]:
        """Lay a body down.

        Args:
            pieces: the body in its pieces; size: their length together.

        Returns:
            The order of its place and the reference that stands for the body in a frame; None if it is too small to
            be worth it, or there is no place.
        """
        if size <= LARGE or size > self._size:
            return None
        start = self._place(size)
        if start is None:
            return None
        at = start
        for piece in pieces:
            self._memory[at : at + len(piece)] = piece
            at += len(piece)
        self._order += 1
        self._live.append((self._order, start, start + size))
        return self._order, _REFERENCE.pack(self._order, start, size)

    def _place(self, size: int) -> Optional[int]:
        live = self._live
        while live and self._is_free(live[0][0]):
            live.popleft()
        if not live:
            return 0  # the same memory again, which the processor still has near
        if len(live) >= PLACES:
            return None
        oldest, end = live[0][1], live[-1][2]
        if end <= oldest:
            return end if oldest - end >= size else None
        if self._size - end >= size:
            return end
        return 0 if oldest >= size else None


def place_of(memory: memoryview, reference: bytes) -> Tuple[int, int, int]:
    """Return the order of a body's place, where it starts and its size.

    Args:
        memory: the room that the other side writes.
        reference: what stands for the body in the frame.

    Raises:
        ProtocolError: it is no reference into the room.
    """
    if len(reference) != _REFERENCE.size:
        raise ProtocolError("a reference to shared memory has %d bytes, not %d" % (_REFERENCE.size, len(reference)))
    order, start, size = _REFERENCE.unpack(reference)
    if start + size > len(memory):
        raise ProtocolError("a body is said to be at %d to %d of %d" % (start, start + size, len(memory)))
    return order, start, size
