"""Runners that a test's own process starts come from a process that has their imports.

They are as real as others: the same ``main()``, a process, a session and a log of their own. What is spared is the half
of a second of processor time that each of several hundred spends on imports. Those that a command or a server starts
are started as users' are.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

RUNNER = [sys.executable, "-P", "-m", "sendoff.programs.runner"]
FAKE = [sys.executable, str(Path(__file__).with_name("fake_runner.py"))]
IMPORTS = [
    "sendoff.programs.runner",
    "sendoff.deployments.deploy_steps",
    "sendoff.deployments.delete_steps",
    "sendoff.environments.service",
    "sendoff.environments.resolve",
    "sendoff.environments.build",
    "sendoff.datasets",
    "sendoff.artefacts.imports_inside",
    "sendoff.packages.request",
    "sendoff.runs",
    "sendoff.store.local_blobs",
    "sendoff.store.verified",
    "sendoff.targets.docker.target",
    "sendoff.targets.process.target",
    "sendoff.targets.process.observing",
    "cryptography.hazmat.primitives.ciphers.aead",
    "deployment_rigs",
    "uv",
]
"""What a runner of a deployment has imported at its end."""


class Started:
    """What the launcher asks of a process."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self.pid: int = process.pid

    def poll(self) -> int | None:
        code: int | None = self._process.exitcode
        return code


def _run(fake: bool, arguments: list[str], log: str, folder: str, environ: dict[str, str]) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    with open(log, "ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # type: ignore[union-attr]
    from sendoff.programs import runner

    if fake:
        from deployment_rigs import FakeCore

        sys.exit(runner.main(arguments, core=FakeCore))
    sys.exit(runner.main(arguments))


class Warm:
    """Stands for ``subprocess`` in the launcher."""

    DEVNULL = subprocess.DEVNULL

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(IMPORTS)

    def Popen(  # noqa: N802 (as subprocess has it)
        self, command: Sequence[str], *, stdout: IO[bytes], cwd: Path, env: Mapping[str, str], **rest: Any
    ) -> Any:
        kind = list(command[: command.index("--home")])
        if kind not in (RUNNER, FAKE):
            return subprocess.Popen(command, stdout=stdout, cwd=cwd, env=env, **rest)
        arguments = (kind == FAKE, list(command[len(kind) :]), stdout.name, str(cwd), dict(env))
        process = self._context.Process(target=_run, args=arguments)
        with pytest.MonkeyPatch.context() as patch:  # the process that has the imports finds the tests' own, too
            patch.setenv("PYTHONPATH", str(Path(__file__).parent))
            process.start()
        return Started(process)


def use() -> None:
    """Let launchers of this process start runners so."""
    from sendoff.operations import launch

    launch.subprocess = Warm()  # type: ignore[assignment]
