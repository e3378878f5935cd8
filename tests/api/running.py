"""A real API server for tests: a process on a free loopback port, ended by its id."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from sendoff.client import connect
from sendoff.spec.deployment import DeploymentSpec
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.operation import FINAL


class Server(NamedTuple):
    url: str
    token: str
    process: subprocess.Popen[str]


def lasting_port() -> int:
    """A free port below those that the system hands out, so that it is still free when a server comes back to it."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(first // 2, first), 100):
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port in a hundred")


@contextmanager
def server(home: Path, *arguments: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "sendoff.api", "--home", str(home), *arguments]
    with (home.parent / f"{home.name}.server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(4)]
        said = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
        yield Server(said["SENDOFF_SERVER"], said["SENDOFF_TOKEN"], process)
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


def this_python(name: str = "here") -> EnvironmentSpec:
    return EnvironmentSpec(
        name=name, python=PythonSpec(user_managed_dependencies=True, interpreter_path=sys.executable)
    )


def local() -> DeploymentSpec:
    return DeploymentSpec(compute_type="LOCAL")


def finished(client, operation):
    import time

    end = time.monotonic() + 120
    while operation.state not in FINAL and time.monotonic() < end:
        time.sleep(0.1)
        operation = client.operation(operation.id)
    return operation


def end_everything(home: Path) -> None:
    """Delete every service of a home and end its supervisor, by id."""
    import os
    import signal

    import psutil

    with connect(home=home) as client:
        for workspace in client.workspaces():
            for service in client.services(workspace.name):
                for _ in range(2):
                    if service.operation is not None and service.operation.state not in FINAL:
                        finished(client, client.cancel_operation(service.operation.id))
                    operation = client.delete_service(workspace.name, service.name)
                    if operation is None or finished(client, operation).state == "Succeeded":
                        break
                else:
                    raise AssertionError(f"service {service.name} could not be deleted and may run on")
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if "sendoff.targets.process.supervisor" in words and str(home) in words:
            os.kill(process.info["pid"], signal.SIGTERM)
