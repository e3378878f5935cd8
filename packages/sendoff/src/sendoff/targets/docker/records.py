"""What the docker target keeps for a service: the folder ``home/docker/run/<uid>/``.

``wanted.json`` says what has to run, ``good.json`` which container last answered. Everything else is asked of the
engine and of the front in the container.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import NamedTuple

from ... import files
from ...processes import boot_id
from ..run_folder import RunFolder

LOG_BYTES = 5_000_000


class ContainerRecord(NamedTuple):
    """What has to run. ``serial`` numbers containers: a retry or a reload of a revision is another container."""

    uid: str
    name: str
    workspace: str
    revision: int
    bundle: str
    image: str
    python: str
    host: str
    port: int
    chosen_port: bool
    drain_seconds: float
    engine: str
    network: str
    serial: int
    cpus: float | None = None
    memory_mb: int | None = None
    removing: bool = False
    auth_file: str | None = None
    certificate: str | None = None
    data_folder: str | None = None
    data_scope: str = ""

    def same_run(self, other: ContainerRecord) -> bool:
        """Whether a container made for the other is what this asks for."""
        return self._made_from() == other._made_from()

    def _made_from(self) -> tuple[object, ...]:
        # The address too: a container that serves at another one waits until the gateway listens there.
        run = (self.revision, self.bundle, self.image, self.python, self.cpus, self.memory_mb, self.host, self.port)
        return (*run, self.auth_file)


class ServiceFolder(RunFolder):
    """A service's folder with its records, and the log of containers that are gone. It may not exist."""

    def __init__(self, home: Path, uid: str) -> None:
        super().__init__(place(home), uid)
        self.home = home

    def wanted(self) -> ContainerRecord | None:
        """What has to run, if anything."""
        return _load(self.path / "wanted.json")

    def good(self) -> ContainerRecord | None:
        """What last answered, as it was wanted."""
        return _load(self.path / "good.json")

    def write(self, wanted: ContainerRecord) -> None:
        """Want this."""
        files.write_json(self.path / "wanted.json", wanted._asdict(), lasting=True)

    def learn(self, wanted: ContainerRecord) -> None:
        """This has answered."""
        if self.good() != wanted:
            files.write_json(self.path / "good.json", wanted._asdict(), lasting=True)

    def container_folder(self, serial: int) -> Path:
        """What a container gets of the host to write to: its control socket is there."""
        return self.path / f"container-{serial}"

    def next_serial(self, taken: list[int]) -> int:
        """A number that no container of this service has or had while the folder was there."""
        had = [int(path.name.partition("-")[2]) for path in self.path.glob("container-*")]
        return max([0, *had, *taken]) + 1

    def stopping(self, serial: int) -> float | None:
        """How many seconds ago a container was told to make way; None when it was not."""
        try:
            record = json.loads((self.container_folder(serial) / "stopping.json").read_bytes())
            return time.monotonic() - float(record["at"]) if record["boot"] == boot_id() else 1e9
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note_stopping(self, serial: int) -> None:
        """A container makes way from now on."""
        folder = self.container_folder(serial)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_json(folder / "stopping.json", {"at": time.monotonic(), "boot": boot_id()})

    def forget_container(self, serial: int) -> None:
        """Empty a container's folder; the folder itself keeps its number from being used again."""
        for path in self.container_folder(serial).glob("*"):
            files.remove(path)

    def keep_log(self, lines: list[str]) -> None:
        """Keep what a container logged that is about to go."""
        if not lines:
            return
        log = self.log
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
        with log.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


def place(home: Path) -> Path:
    """Where the docker target keeps its folders: below it is ``run/``, as in the home for processes."""
    return home / "docker"


def _load(path: Path) -> ContainerRecord | None:
    try:
        return ContainerRecord(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
