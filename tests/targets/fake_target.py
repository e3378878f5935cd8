"""A fake target for the tests of other rooms: it starts nothing and says so.

Its state is one JSON file a service under ``home/run-fake/``, so that a runner in another process sees the same
services. What a service does is scripted by name beforehand, with :meth:`FakeTarget.script`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sendoff import files
from sendoff.errors import InvalidInput, PortInUse, ServiceNotFound
from sendoff.targets.base import Capabilities, Observation, WantedService

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
        home: State is kept under ``home/run-fake``.
    """

    def __init__(self, home: Path) -> None:
        self._place = Path(home) / "run-fake"

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
        return Capabilities(name="fake", memory_limit=True, reload=True)

    def check(self, wanted: WantedService) -> None:
        """Refuse when so scripted.

        Raises:
            PortInUse: The service is scripted ``port-in-use``, or another service of the fake has the port.
        """
        others = [self._read(self._file(uid)) or {} for uid in self.present() if uid != wanted.uid]
        taken = wanted.port and any(other.get("port") == wanted.port for other in others)
        if taken or self._scripted(wanted.name)["behaviour"] == PORT_IN_USE:
            raise PortInUse(f"port {wanted.port} is in use, says the fake target", port=wanted.port)

    def apply(self, wanted: WantedService) -> None:
        """Note the wanted revision; the next observations tell its scripted course."""
        self.check(wanted)
        state = self._read(self._file(wanted.uid)) or {"serving": None, "pending": None, "log": [], "applied": 0}
        state["applied"] += 1
        serving, pending = state["serving"], state["pending"]
        if pending and serving and serving["revision"] == wanted.revision:
            state["pending"] = pending = None
        known = pending or serving
        port = wanted.port or state.get("port") or 10_000 + len(self.present())
        if known is None or known["revision"] != wanted.revision or known["phase"] == "failed":
            scripted = self._scripted(wanted.name)
            state["pending"] = {"revision": wanted.revision, "phase": "starting", "seen": 0, **scripted}
            state["log"].append(f"fake: loading revision {wanted.revision}")
        self._write(self._file(wanted.uid), {**state, "port": port, "name": wanted.name})

    def observe(self, uid: str, *, metrics: bool = False) -> Observation:
        """Take one step along the script and tell where the service is."""
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

    def reload(self, uid: str) -> None:
        """Count a reload.

        Raises:
            ServiceNotFound: Nothing of that uid is here.
        """
        state = self._read(self._file(uid))
        if state is None:
            raise ServiceNotFound(f"the fake target has no service {uid}", uid=uid)
        state["log"].append("fake: reloaded")
        self._write(self._file(uid), state)

    def remove(self, uid: str) -> None:
        """Forget the service."""
        self._file(uid).unlink(missing_ok=True)

    def present(self) -> Sequence[str]:
        """Uids applied and not removed."""
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
