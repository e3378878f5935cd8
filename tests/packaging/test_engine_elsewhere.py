"""Images on engines that are not behind a socket of this machine: over TCP, over ssh, by a Docker context."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from image_rig import CONDA_311, ask, locked, running

from sendoff.containers import images
from sendoff.containers.engine import connect
from sendoff.errors import InvalidInput, NotSupported, TargetUnavailable

SOCKET = "/var/run/docker.sock"


class Relay:
    """This machine's engine at a TCP port, as another machine's would be."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.socket(socket.AF_UNIX)
            far.connect(SOCKET)
            threading.Thread(target=self._pass, args=(near, far), daemon=True).start()

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with near, far:
            while True:
                for ready in select.select([near, far], [], [])[0]:
                    try:
                        data = ready.recv(1 << 16)
                        if not data:
                            return
                        other[ready].sendall(data)
                    except OSError:
                        return


@pytest.fixture
def relay(base: str) -> Iterator[Relay]:
    made = Relay()
    yield made
    made.listener.close()


@pytest.fixture
def ssh(tmp_path: Path, base: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for ``ssh``: it notes how it was called and runs the command here."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ssh"
    script.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/called\n'
        'case "$*" in *nobody*) echo "nobody: Permission denied (publickey)." >&2; exit 255;; esac\n'
        'while [ "$1" != "--" ]; do shift; done; shift 2; unset DOCKER_HOST; exec "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path / "called"


@pytest.mark.slow
@pytest.mark.parametrize("where", ["here", "inside"])
def test_an_image_is_made_on_an_engine_over_tcp_without_mounts(rig, engine, relay, monkeypatch, where):
    from sendoff.packaging import image_environment

    lock = locked(CONDA_311)
    rig.store.home.joinpath("images").unlink()
    if where == "inside":
        monkeypatch.setattr(image_environment, "host_glibc", lambda: "99.9")  # stands for a newer C library
    monkeypatch.setenv("DOCKER_HOST", relay.address)
    said: list[str] = []
    made = rig.build(engine, rig.bundle(lock), lock, progress=said.append)
    assert relay.connections > 5
    assert any(line.startswith("installing inside") for line in said) == (where == "inside")
    monkeypatch.delenv("DOCKER_HOST")
    with running(engine, made.id) as address:
        assert ask(address)["model"] == "a model"


def test_an_engine_over_ssh_is_spoken_to_as_the_docker_command_does(ssh, base):
    environ = {**os.environ, "DOCKER_HOST": "ssh://me@far.example:2222"}
    there = connect(environ)
    assert not there.local
    found = images.find(there, base)
    assert found is not None and found["Id"] == images.find(connect({"PATH": os.environ["PATH"]}), base)["Id"]
    called = ssh.read_text().splitlines()[0]
    assert "-l me -p 2222 -- far.example docker system dial-stdio" in called


def test_what_ssh_complains_of_is_said(ssh):
    with pytest.raises(TargetUnavailable, match="Permission denied") as caught:
        connect({**os.environ, "DOCKER_HOST": "ssh://nobody@far.example"}).version()
    assert "DOCKER_HOST" in caught.value.hint
    with pytest.raises(InvalidInput):
        connect({**os.environ, "DOCKER_HOST": "ssh://-oProxyCommand=x"}).version()
    with pytest.raises(InvalidInput, match="no engine's address"):
        connect({**os.environ, "DOCKER_HOST": "pigeon://far"}).version()


def test_a_docker_context_is_used_for_images_and_refused_for_services_with_its_name(relay, tmp_path, base, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    command = ["docker", "context", "create", "far", "--docker", f"host={relay.address}"]
    subprocess.run(command, check=True, capture_output=True)
    subprocess.run(["docker", "context", "use", "far"], check=True, capture_output=True)
    assert images.find(connect(), base) is not None
    assert relay.connections > 0
    with pytest.raises(NotSupported, match="context 'far'") as caught:
        connect(local=True)
    assert "docker context use default" in caught.value.hint
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert connect(local=True).local
