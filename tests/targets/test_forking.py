"""Fronts that are forked from a process with their imports are what started ones are, and need it for nothing."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rigs import ProcessRig, score, wait_for

from sendoff import processes
from sendoff.environ import base_environment
from sendoff.processes import PROC, Identity
from sendoff.sockets import runtime_folder
from sendoff.targets.process import forking
from sendoff.targets.process.records import ProcessFolder


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessRig]:
    # A variable of its own: what is done here to the process that forks is not done to that of other tests.
    monkeypatch.setenv("XDG_TEST_OF_FORKING", str(tmp_path))
    made = ProcessRig(tmp_path)
    yield made
    made.close()
    for process in forkserver():
        processes.send(process, signal.SIGKILL)


def parent(process: Identity) -> Identity | None:
    """The process that this one was started by."""
    return processes.identify(int(PROC.joinpath(str(process.pid), "stat").read_bytes().rpartition(b")")[2].split()[1]))


def forkserver() -> list[Identity]:
    """The processes that fork for the variables of this test."""
    mine = f"XDG_TEST_OF_FORKING={os.environ['XDG_TEST_OF_FORKING']}".encode()
    found = []
    for folder in PROC.glob("[0-9]*"):
        try:
            own = mine in folder.joinpath("environ").read_bytes().split(b"\0")
            here = own and forking.MODULE.encode() in folder.joinpath("cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        process = processes.identify(int(folder.name)) if here else None
        found += [process] if process else []
    return found


def running(rig: ProcessRig, uid: str, said: str) -> Identity:
    """The front of a new service that answers."""
    rig.target.apply(rig.answering(said, uid=uid))
    assert score(rig.until("ready", uid=uid))["said"] == said  # type: ignore[index]
    front = rig.front(uid)
    assert front is not None
    return front


def descriptors(place: Path) -> set[str]:
    """The kinds of what a process has open."""
    found = set()
    for one in place.joinpath("fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a connection that has just ended
            found.add(re.sub(r"\d+", "", str(one.readlink())))
    return found


def seen(process: Identity) -> dict[str, object]:
    """What the system shows of a process that should not depend on how it came to be."""
    place = PROC / str(process.pid)
    status = dict(line.split(":\t", 1) for line in place.joinpath("status").read_text().splitlines())
    kept = ("Umask", "SigBlk", "SigIgn", "SigCgt", "NoNewPrivs", "CapEff", "Groups", "Uid", "Threads", "Name")
    pairs = [entry.partition("=") for entry in place.joinpath("environ").read_text().split("\0") if entry]
    return {
        **{name: status[name] for name in kept},
        "variables": {name: value for name, _, value in pairs if name != processes.MARK},
        "program": place.joinpath("exe").readlink(),
        "folder": place.joinpath("cwd").readlink(),
        "limits": place.joinpath("limits").read_text(),
        "leads": os.getsid(process.pid) == process.pid,
        "input": place.joinpath("fd/0").readlink(),
        "descriptors": descriptors(place),
        "options": [word for word in processes.command(process) if word.startswith("-")],
        "server": processes.command(process)[:4],
    }


def test_a_forked_front_is_what_a_started_one_is(rig: ProcessRig, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = running(rig, "u1", "one"), running(rig, "u2", "two")
    [server] = forkserver()
    assert [parent(one), parent(two)] == [server, server]
    records = [ProcessFolder(rig.home, uid).fronts()[0] for uid in ("u1", "u2")]
    assert len({record.token for record in records}) == 2
    for record in records:  # each by its own mark and command line: the workers carry the mark too
        marked = processes.marked(record.token)
        assert [process for process in marked if record.control in processes.command(process)] == [record.process]
        assert len(marked) == 2

    def not_here(*_: object, **__: object) -> int:
        raise forking.NotForked

    monkeypatch.setattr(forking, "fork", not_here)
    started = running(rig, "u3", "three")
    assert parent(started) != server
    assert seen(one) == seen(started)
    consoles = [PROC.joinpath(str(front.pid), "fd/1").readlink() for front in (one, started)]
    assert consoles == [rig.home / "run" / uid / "console.log" for uid in ("u1", "u3")]


def test_fronts_outlive_it_and_the_next_has_another(rig: ProcessRig) -> None:
    one = running(rig, "u1", "one")
    [first] = forkserver()
    processes.send(first, signal.SIGKILL)
    assert processes.wait_ended([first], 10) == []
    assert score(rig.observe("u1"))["said"] == "one"  # type: ignore[index]
    two = running(rig, "u2", "two")
    [second] = forkserver()
    assert processes.alive(one) and parent(two) == second != first
    rig.target.remove("u2")
    assert rig.leftovers("u2") == [] and processes.alive(second)


def test_one_that_hangs_holds_nothing_up(rig: ProcessRig, monkeypatch: pytest.MonkeyPatch) -> None:
    running(rig, "u1", "one")
    [server] = forkserver()
    os.kill(server.pid, signal.SIGSTOP)
    monkeypatch.setattr(forking, "START_SECONDS", 0.5)
    two = running(rig, "u2", "two")
    assert parent(two) != server
    os.kill(server.pid, signal.SIGCONT)
    # Whoever gave up has asked for nothing: no second front comes late.
    three = running(rig, "u3", "three")
    assert parent(three) == server
    assert [front.process for front in ProcessFolder(rig.home, "u2").fronts()] == [two]


def test_other_circumstances_have_another(rig: ProcessRig, tmp_path: Path) -> None:

    def forked(**variables: str) -> None:
        token = os.urandom(8).hex()
        environ = {**base_environment(), **variables}
        assert forking.fork(["--help"], environ=environ, token=token, console=tmp_path / "console") > 0
        wait_for(lambda: not processes.marked(token))

    forked()
    forked(LC_ALL="C.UTF-8")
    assert len(forkserver()) == 2
    forked()
    code = "import os; os.nice(1); " + (
        "from sendoff.environ import base_environment as base; from sendoff.targets.process import forking; "
        "from pathlib import Path; forking.fork(['--help'], environ=base(), token='x' * 16, console=Path('c'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    assert len(forkserver()) == 3
    assert tmp_path.joinpath("console").read_text().count("usage: ") == 3


def test_it_ends_when_none_of_its_servers_is_left_and_leaves_no_files(tmp_path: Path) -> None:
    path = runtime_folder() / f"fork-{os.urandom(6).hex()}.sock"
    code = f"import sys; import {forking.MODULE} as it; it.IDLE_SECONDS = 0.3; sys.exit(it.main())"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        environ = {**os.environ, processes.MARK: "0" * 16}
        server = subprocess.Popen([sys.executable, "-c", code, "." * 2000], stdin=listener.fileno(), env=environ)

    console = tmp_path / "console"
    console.touch()

    def ask(*arguments: str, go: bool = True) -> dict[str, object]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.connect(str(path))
            assert link.recv(16) == b"ready\n"
            request = {"arguments": arguments, "mark": "1" * 16, "console": str(console)}
            link.sendall(json.dumps(request).encode() + b"\n")
            answer: dict[str, object] = json.loads(link.makefile().readline())
            if go and "pid" in answer:
                link.sendall(b"go\n")
            return answer

    assert "too long" in str(ask("x" * 4000)["refused"])
    script = tmp_path / "score.py"
    script.write_text("def init(): pass\ndef run(data): return data\n")
    pid = ask("--entry-script", str(script), "--port", "0")["pid"]
    wait_for(lambda: "Listening" in console.read_text())
    given_up = ask("--entry-script", str(script), "--port", "0", go=False)["pid"]
    wait_for(lambda: not PROC.joinpath(str(given_up)).exists())
    time.sleep(0.8)
    assert server.poll() is None and path.exists()
    assert console.read_text().count("Listening") == 1
    os.kill(int(str(pid)), signal.SIGTERM)
    assert server.wait(20) == 0
    assert not path.exists()
    assert not PROC.joinpath(str(pid)).exists()
