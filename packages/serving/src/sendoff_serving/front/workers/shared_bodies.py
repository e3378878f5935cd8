"""Large bodies that go between the front and a worker through shared memory."""

from __future__ import annotations

import ctypes
import weakref
from functools import lru_cache
from typing import cast

from ...page import Page
from ...protocol import Frame, ProtocolError, ResultFlag
from ...room import Room, place_of

# Kinds of holders are made for sizes that are multiples of this.
_STEP = 1 << 16


@lru_cache(maxsize=512)
def _kind(size: int) -> type[ctypes.Array[ctypes.c_char]]:
    return ctypes.c_char * size


def _holder(memory: memoryview, start: int, size: int) -> ctypes.Array[ctypes.c_char]:
    """Return an object over a part of memory that lives as long as any view of it.

    A view itself does not: a slice of it, which the transport makes of what it could not send yet, outlives it.
    """
    rounded = -(-size // _STEP) * _STEP
    return _kind(rounded if start + rounded <= len(memory) else size).from_buffer(memory, start)


class SharedBodies:
    """The room of one worker as the front uses it.

    Args:
        page: the memory shared with the worker.

    Attributes:
        used: something has lain there since the memory was last given back.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self.used = False
        self._free: set[int] = set()
        self._room = Room(page.requests, self._is_free)
        self._places: dict[int, int] = {}  # places of requests, by the order of the request
        self._lent: dict[
            int, weakref.ref[ctypes.Array[ctypes.c_char]]
        ] = {}  # answers that are being sent, by their place

    def _is_free(self, place: int) -> bool:
        if place not in self._free:
            return False
        self._free.discard(place)
        return True

    def lay(self, order: int, chunks: list[bytes], size: int) -> bytes | None:
        """Lay a request's body down and return what stands for it in the frame; None where there is no place."""
        laid = self._room.lay(chunks, size)
        if laid is None:
            return None
        self.used = True
        self._places[order] = laid[0]
        return laid[1]

    def answered(self, order: int) -> None:
        """Take a request's place back: the worker has answered it, or will not run it."""
        place = self._places.pop(order, None)
        if place is not None:
            self._free.add(place)

    def fetch(self, frame: Frame) -> Exception | None:
        """Put a RESULT's body in the place of its reference; returns what is wrong with it, None for nothing.

        The body is a view of it where it lies; its place is given back when nobody holds it any more.
        """
        try:
            place, start, size = place_of(self._page.answers, frame.bodies[0])
            holder = _holder(self._page.answers, start, size)
        except (ProtocolError, ValueError, LookupError) as error:
            return error
        self.used = True
        self._lent[place] = weakref.ref(holder, lambda _: self._sent(place))
        frame.bodies[0] = cast(bytes, memoryview(holder).cast("B")[:size])
        frame.code &= ~ResultFlag.SHARED
        return None

    def _sent(self, place: int) -> None:
        if self._lent.pop(place, None) is not None:
            self._page.give_back(place)

    def empty(self) -> bool:
        """Give the memory back where nothing lies in it, of a worker that has no requests; whether that was so."""
        if self._lent:
            return False
        self._page.empty_rooms()
        self.used = False
        return True

    def close(self) -> None:
        """Leave the room: its worker has ended."""
        self._lent.clear()
