"""Keeps a home's containers and its gateway as they are wanted: one detached process a home.

    python -m sendoff.targets.docker.keeper --home HOME

It holds no state of its own; containers and Envoy go on without it, and its sentinel starts another one. The engine's
events wake it.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from pathlib import Path

from ... import processes
from ...containers.engine import Engine
from ...containers.labels import HOME, home_id
from ...errors import SendoffError
from ...gateway.gateway import Gateway
from ..run_folder import uids
from ..supervisor import IDLE_SECONDS, Supervisor, Watch
from . import service_containers
from .records import ServiceFolder, place
from .sentinel import Sentinel

LONGEST = 5.0
"""Seconds after which everything is looked at again, whether or not anything was heard."""
ENGINE_WAIT = 1.0
"""Seconds between looks for an engine that does not answer."""


def needed(home: Path) -> bool:
    """Whether any service is wanted.

    After a start of the machine too: the engine starts the containers again by itself, and they need their gateway.
    """
    return any(ServiceFolder(home, uid).wanted() is not None for uid in uids(place(home)))


class Keeper(Supervisor[Watch]):
    """Takes each service step by step towards what is wanted, and starts Envoy again when it has ended."""

    def __init__(self, home: Path, *, idle_seconds: float | None = IDLE_SECONDS) -> None:
        super().__init__(home, place(home), Watch, needed, idle_seconds=idle_seconds)
        self._gateway = Gateway(home)
        self._sentinel = Sentinel(home, place(home), __spec__.name)
        self._events: dict[str, socket.socket] = {}

    def _round(self) -> float:
        self._sentinel.keep()
        return super()._round()

    def _step(self, uid: str, watch: Watch) -> float:
        folder = ServiceFolder(self.home, uid)
        wanted = folder.wanted()
        if wanted is None:
            return LONGEST
        engine = Engine(wanted.engine)
        try:
            self._follow(engine)
            again = service_containers.advance(folder, engine, self._gateway, self._log)
        except SendoffError as error:
            self._log(f"{uid}: {error.message}")
            return ENGINE_WAIT
        return LONGEST if again is None else again

    def _follow(self, engine: Engine) -> None:
        """Hear of what happens to this home's containers."""
        if engine.path not in self._events:
            mark = f"{HOME}={home_id(self.home)}"
            self._events[engine.path] = engine.follow({"label": [mark], "type": ["container"]})

    def _sleep(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        # Without them an ended container or Envoy would be noticed only at the next round.
        heard = {link.fileno(): path for path, link in self._events.items()}
        for handle in heard:
            poll.register(handle, select.POLLIN)
        envoy = self._gateway.running()
        ended = processes.watch(envoy.process) if envoy is not None else None
        if ended is not None:
            poll.register(ended, select.POLLIN)
        try:
            for handle, _ in poll.poll(seconds * 1000):
                if handle in heard:
                    self._hear(heard[handle])
                if handle in heard or handle == ended:
                    for watch in self._watches.values():
                        watch.due = 0.0
        finally:
            if ended is not None:
                os.close(ended)

    def _hear(self, path: str) -> None:
        link = self._events[path]
        try:
            alive = bool(link.recv(65536))
        except OSError:
            alive = False
        if not alive:
            # The engine has ended; it is asked again until it answers.
            link.close()
            del self._events[path]
            self._log(f"the engine at {path} has ended")


def main(argv: list[str]) -> int:
    """``--home HOME [--idle-seconds N]``."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m sendoff.targets.docker.keeper", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS)
    options = parser.parse_args(argv)
    Keeper(options.home.absolute(), idle_seconds=options.idle_seconds).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
