"""A fake target for the tests of other rooms: it starts nothing and says so.

Its state is one JSON file a service under ``home/run-fake/``, so that a runner in another process sees the same
services. What a service does is scripted by name beforehand, with :meth:`FakeTarget.script`.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sendoff import files
from sendoff.errors import InvalidInput, PortInUse
from sendoff.spec.settings import Settings
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

SUCCEED, FAIL_INIT, HANG, CRASH, PORT_IN_USE = "succeed", "fail-init", "hang", "crash", "port-in-use"
SCRIPTS = (SUCCEED, FAIL_INIT, HANG, CRASH, PORT_IN_USE)


def init_error(script: str = "score.py", line: int = 7) -> dict[str, Any]:
    """The error that a service scripted to fail reports, in the form that the scoring server gives."""
    return {
        "code": "script_failed",
        "message": "init() raised ValueError: scripted by the fake target",
        "traceback": f'Traceback (most recent call last):\n  File "{script}", line {line}, in init\n'
        f'    raise ValueError("scripted by the fake target")\nValueError: scripted by the fake target\n',
        "file": script,
        "line": line,
    }


class FakeTarget:
    """A target that runs nothing. A service takes one look to go from ``starting`` to its scripted end.

    Args:
        place: As for every target; its kind is what it says that it is.
        surroundings: State is kept under ``home/run-fake``.
    """

    def __init__(self, place: Place, surroundings: Surroundings) -> None:
        self._name = place.kind
        self._place = surroundings.home / "run-fake"

    def script(self, name: str, behaviour: str, **options: Any) -> None:
        """Say what revisions applied from now on to services of that name do.

        Args:
            name: The service's name; ``*`` for all without a line of their own.
            behaviour: ``succeed``, ``fail-init`` (with a traceback), ``hang`` (stays in ``init``), ``crash`` (ready,
                then unhealthy), ``port-in-use`` (refused by :meth:`check` and :meth:`apply`).
            **options: ``looks``: observations before the end is reached, 1 unless told.
        """
        if behaviour not in SCRIPTS:
            raise InvalidInput(f"the fake target cannot {behaviour!r}", hint=f"It can: {', '.join(SCRIPTS)}.")
        scripts = self._read(self._place / "scripts.json") or {}
        scripts[name] = {"behaviour": behaviour, "looks": 1, **options}
        self._write(self._place / "scripts.json", scripts)

    def capabilities(self) -> Capabilities:
        """Says that it is a fake."""
        return Capabilities(name=self._name, artefact=INTERPRETER, gateway="own", memory_limit=True)

    def check(self, wanted: Wanted) -> None:
        """Refuse when so scripted.

        Raises:
            PortInUse: The service is scripted ``port-in-use``, or another service of the fake has the port.
        """
        others = [self._read(self._file(uid)) or {} for uid in self.uids() if uid != wanted.uid]
        taken = wanted.listen.port and any(other.get("port") == wanted.listen.port for other in others)
        if taken or self._scripted(wanted.name)["behaviour"] == PORT_IN_USE:
            raise PortInUse(f"port {wanted.listen.port} is in use, says the fake target", port=wanted.listen.port)

    def apply(self, wanted: Wanted) -> None:
        """Note the wanted revision; the next observations tell its scripted course."""
        if not wanted.start:
            return
        self.check(wanted)
        state = self._read(self._file(wanted.uid)) or {"serving": None, "pending": None, "log": [], "applied": 0}
        state["applied"] += 1
        serving, pending = state["serving"], state["pending"]
        if pending and serving and serving["revision"] == wanted.revision:
            state["pending"] = pending = None
        known = pending or serving
        port = wanted.listen.port or state.get("port") or 10_000 + len(self.uids())
        if known is None or known["revision"] != wanted.revision or known["phase"] == "failed":
            scripted = self._scripted(wanted.name)
            state["pending"] = {"revision": wanted.revision, "phase": "starting", "seen": 0, **scripted}
            state["log"].append(f"fake: loading revision {wanted.revision}")
        self._write(self._file(wanted.uid), {**state, "port": port, "name": wanted.name})

    def prepare(self, preparation: Preparation, makers: Makers, progress: Progress) -> Artefact:
        """The environment, as the makers of the test have it."""
        return makers.interpreter(preparation, progress)

    def observe(self, uids: Sequence[str], *, metrics: bool = False) -> dict[str, Observation]:
        """Take one step along the script of each and tell where the services are."""
        return {uid: self._observed(uid) for uid in uids}

    def _observed(self, uid: str) -> Observation:
        state = self._read(self._file(uid))
        if state is None:
            return Observation(phase="absent")
        self._step(state)
        self._write(self._file(uid), state)
        serving, pending = state["serving"], state["pending"]
        if serving is None:
            serving, pending = pending, None
        return Observation(
            phase=serving["phase"],
            seen=time.time(),
            revision=serving["revision"],
            error=serving.get("error"),
            pending_revision=pending["revision"] if pending else None,
            pending_phase=pending["phase"] if pending else None,
            pending_error=pending.get("error") if pending else None,
            port=state["port"],
            base_url=f"http://127.0.0.1:{state['port']}",
        )

    def logs(self, uid: str, num_lines: int, *, init: bool = False) -> str:
        """What the fake pretends to have logged."""
        state = self._read(self._file(uid)) or {"log": []}
        return "\n".join(state["log"][-num_lines:] if num_lines > 0 else [])

    def remove(self, uid: str) -> None:
        """Forget the service."""
        self._file(uid).unlink(missing_ok=True)

    def held(self, used: Used) -> list[Leftover]:
        """Services that were applied and do not exist."""
        if self._name == "docker":
            return []  # Where the fake stands for every target, all share their services, and one of them tells.
        dead = [uid for uid in self.uids() if uid not in used.services]
        return [Leftover(kind=SERVICE, id=uid, name=uid, remove=partial(self.remove, uid)) for uid in dead]

    def uids(self) -> list[str]:
        """Uids applied and not removed; for tests."""
        return sorted(path.stem for path in self._place.glob("services/*.json"))

    def clear(self) -> None:
        """Forget everything, scripts too."""
        shutil.rmtree(self._place, ignore_errors=True)

    def _step(self, state: dict[str, Any]) -> None:
        pending = state["pending"]
        if pending is None:
            if state["serving"] and state["serving"].get("behaviour") == CRASH:
                state["serving"]["phase"] = "unhealthy"
                state["serving"]["error"] = {
                    "code": "front_ended",
                    "message": "scripted by the fake target",
                    "hint": "",
                }
            return
        pending["seen"] += 1
        if pending["seen"] <= pending["looks"] or pending["behaviour"] == HANG:
            pending["phase"] = "starting" if pending["seen"] < 2 and pending["looks"] > 1 else "init"
        elif pending["behaviour"] == FAIL_INIT:
            pending["phase"], pending["error"] = "failed", init_error()
            state["log"].extend(pending["error"]["traceback"].splitlines())
        else:
            pending["phase"] = "ready"
            state["log"].append(f"fake: revision {pending['revision']} is ready")
            state["serving"], state["pending"] = pending, None

    def _scripted(self, name: str) -> dict[str, Any]:
        scripts = self._read(self._place / "scripts.json") or {}
        found: dict[str, Any] = scripts.get(name) or scripts.get("*") or {"behaviour": SUCCEED, "looks": 1}
        return found

    def _file(self, uid: str) -> Path:
        return self._place / "services" / f"{uid}.json"

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
            return found
        except FileNotFoundError:
            return None

    def _write(self, path: Path, value: dict[str, Any]) -> None:
        files.write_json(path, value, folder=0o700)


def fake_target(home: Path, name: str = "fake") -> FakeTarget:
    """The fake of a home."""
    return FakeTarget(Place(kind=name), Surroundings(home=home, settings=Settings()))
