"""A target as small as one can be: a scoring server a service, and a file that says where it is.

It shows what adding a target takes: this folder, and a line in ``targets.table``.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.request
from collections.abc import Sequence
from functools import partial

from sendoff import files, processes
from sendoff.environ import base_environment
from sendoff.errors import InvalidInput
from sendoff.targets import access_folder, ports
from sendoff.targets.base import (
    INTERPRETER,
    SERVICE,
    Artefact,
    Capabilities,
    Leftover,
    Makers,
    Observation,
    Place,
    Preparation,
    Progress,
    Surroundings,
    Used,
    Wanted,
)
from sendoff.targets.run_folder import RunFolder, uids


class SmallTarget:
    """Runs each service as one process that nobody restarts; an update has a gap."""

    def __init__(self, place: Place, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._here = surroundings.home / place.kind

    def capabilities(self) -> Capabilities:
        return Capabilities(name="small", artefact=INTERPRETER, gateway="own", auth=True)

    def check(self, wanted: Wanted) -> None:
        if wanted.listen.port and (problem := ports.problem(wanted.listen.host, wanted.listen.port)):
            raise ports.in_use(wanted.listen.host, wanted.listen.port, problem)

    def prepare(self, preparation: Preparation, makers: Makers, progress: Progress) -> Artefact:
        return makers.interpreter(preparation, progress)

    def apply(self, wanted: Wanted) -> None:
        folder = RunFolder(self._here, wanted.uid)
        with folder.lock(create=wanted.start) as held:
            if not held:
                return
            auth = access_folder.write(folder, wanted.access, wanted.telemetry)
            before = self._record(folder)
            if not wanted.start or (before is not None and before["revision"] == wanted.revision):
                return
            if wanted.artefact is None:
                raise InvalidInput("there is no interpreter", field="artefact")
            self._end(before)
            port = wanted.listen.port or ports.choose(wanted.listen.host, ())
            argv = [sys.executable, "-P", "-m", "sendoff_serving", "--port", str(port), "--revision"]
            argv += [str(wanted.revision), "--bundle", str(self._around.bundle(wanted.bundle))]
            argv += ["--python", wanted.artefact.python, "--log-file", str(folder.log)]
            argv += ["--auth-file", str(auth)] if auth is not None else []
            pid = processes.spawn(argv, environ=base_environment(), console=folder.console)
            found = processes.identify(pid) or processes.Identity(pid, "")
            record = {"pid": found.pid, "start": found.start, "port": port, "revision": wanted.revision}
            files.write_json(folder.path / "wanted.json", {"name": wanted.name, **record})

    def observe(self, uids: Sequence[str], *, metrics: bool = False) -> dict[str, Observation]:
        return {uid: self._observed(uid) for uid in uids}

    def logs(self, uid: str, num_lines: int, *, init: bool = False) -> str:
        log = RunFolder(self._here, uid).log
        return "\n".join(log.read_text().splitlines()[-num_lines:]) if log.exists() else ""

    def remove(self, uid: str) -> None:
        folder = RunFolder(self._here, uid)
        with folder.lock() as held:
            if held:
                self._end(self._record(folder))
                folder.delete()

    def held(self, used: Used) -> list[Leftover]:
        dead = [uid for uid in uids(self._here) if uid not in used.services]
        return [Leftover(kind=SERVICE, id=uid, name=uid, remove=partial(self.remove, uid)) for uid in dead]

    def _record(self, folder: RunFolder) -> dict[str, object] | None:
        try:
            return json.loads((folder.path / "wanted.json").read_bytes())  # type: ignore[no-any-return]
        except FileNotFoundError:
            return None

    def _end(self, record: dict[str, object] | None) -> None:
        if record is not None:
            found = processes.Identity(int(str(record["pid"])), str(record["start"]))
            processes.send(found, signal.SIGTERM)
            processes.wait_ended([found], 20.0)

    def _observed(self, uid: str) -> Observation:
        record = self._record(RunFolder(self._here, uid))
        if record is None:
            return Observation(phase="absent")
        port, revision = int(str(record["port"])), int(str(record["revision"]))
        base = ports.base_url("127.0.0.1", port)
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(base, timeout=2).close()
        except OSError:
            alive = processes.identify(int(str(record["pid"]))) is not None
            return Observation(phase="init" if alive else "failed", revision=revision, port=port)
        return Observation(phase="ready", seen=time.time(), revision=revision, port=port, base_url=base)
