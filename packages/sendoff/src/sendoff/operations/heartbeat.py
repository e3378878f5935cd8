"""Renews a lease while its holder works, and ends the work when the lease is another's."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from ..errors import SendoffError
from . import operation_rows
from .lease import Holder, LeaseLost

if TYPE_CHECKING:
    from ..store import Store

BEAT_SECONDS = 5.0


class Heartbeat:
    """Renews a lease until the block ends; raises ``LeaseLost`` in it when another runner has the operation.

    A step may work for minutes without a write, and two runners must not: the one that lost is interrupted where it
    is, as if it had been killed, which each step survives. To be entered in the main thread, which signals reach.

    Args:
        store: Where the lease is.
        id_: The operation.
        holder: This process, which has the lease.
    """

    def __init__(self, store: Store, id_: str, holder: Holder) -> None:
        self._store, self._id, self._holder = store, id_, holder
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="sendoff-heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGUSR1, self._lost)
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        signal.signal(signal.SIGUSR1, self._before)

    def _lost(self, number: int, frame: FrameType | None) -> None:
        raise LeaseLost(self._id)

    def _beat(self) -> None:
        while not self._done.wait(BEAT_SECONDS):
            try:
                with self._store.begin() as connection:
                    held = operation_rows.renew_lease(connection, self._id, self._holder)
            except SendoffError:
                continue  # A full disk or a busy database: the next beat tries again, and the lease outlasts many.
            if not held:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
                return
