"""One submitted run, in a process of its own: ``python -m sendoff.sdk.runs.execute FOLDER``.

Runs the script, keeps what it wrote below ``outputs`` and ``logs`` with its printed text, and records how it ended.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ...errors import SendoffError
from ...spec import run as spec
from ..connection import client as shared_client
from .files import RunFiles
from .submission import LOG

_SHOWN = 2000
"""Characters of the output's end that a failed run's error carries."""


class _Kept(RunFiles):
    def __init__(self, workspace: object, run_id: str) -> None:
        self._workspace = workspace  # type: ignore[assignment]
        self._run_id = run_id


def main(folder: Path) -> int:
    """Run what ``run.json`` in the folder says; the script's exit code."""
    from ..workspace import Workspace

    note = json.loads((folder / "run.json").read_text())
    client = shared_client()
    workspace = Workspace("", "", note["workspace"])
    source = folder / "source"
    for name in ("outputs", "logs"):
        (source / name).mkdir(exist_ok=True)
    client.update_run(workspace.name, note["run"], spec.UpdateRun(status=spec.RUNNING))
    try:
        code = subprocess.call(note["command"], cwd=source, env={**os.environ, **note["environment"]})
        error = None
    except OSError as problem:
        code, error = 1, f"{note['command'][0]}: {problem.strerror}"
    run = _Kept(workspace, note["run"])
    text = (folder / "log").read_text(encoding="utf-8", errors="replace")
    run._keep_bytes(LOG, text.encode())
    for name in ("outputs", "logs"):
        run.upload_folder(name, str(source / name))
    if code == 0:
        done = spec.UpdateRun(status=spec.COMPLETED)
    else:
        message = error or f"the script ended with exit code {code}:\n{text[-_SHOWN:]}"
        done = spec.UpdateRun(status=spec.FAILED, error={"error": {"code": "UserError", "message": message}})
    if client.get_run(workspace.name, note["run"]).status not in spec.FINAL:  # the script may have ended it itself
        client.update_run(workspace.name, note["run"], done)
    shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except SendoffError as problem:
        sys.exit(str(problem))
