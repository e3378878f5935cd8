"""``kill -9`` of what keeps services running: whichever is left starts the other (F34)."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from rigs import ProcessRig, wait_for

from sendoff import processes
from sendoff.core import Core
from sendoff.targets import supervisor
from sendoff.targets.docker.records import place
from sendoff.targets.process import fronts
from sendoff.targets.process.records import ProcessFolder


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ProcessRig]:
    made = ProcessRig(tmp_path)
    yield made
    made.close()


def keeper(home: Path) -> processes.Identity:
    """The supervisor, once one lives."""
    wait_for(lambda: supervisor.running(home) is not None)
    found = supervisor.running(home)
    assert found is not None
    return found


def healthy(port: int | None) -> bool:
    """Ask the service itself: asking the target would start what is missing."""
    link = http.client.HTTPConnection("127.0.0.1", port or 0, timeout=5)
    try:
        link.request("GET", "/")
        return link.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()


def test_a_front_starts_the_supervisor_and_that_a_front_without_any_command(rig: ProcessRig) -> None:
    rig.target.apply(rig.wanted("def init(): pass\ndef run(data): return data\n"))
    port = rig.until("ready").port
    folder = ProcessFolder(rig.home, "u1")
    first = keeper(rig.home)
    for _ in range(2):
        processes.send(first, signal.SIGKILL)
        processes.wait_ended([first], 5)
        second = keeper(rig.home)
        assert second != first and not supervisor.killed(rig.home)
        [front] = fronts.live(folder)
        processes.send(front.process, signal.SIGKILL)
        processes.wait_ended([front.process], 5)
        wait_for(lambda port=port: healthy(port))
        assert processes.alive(second)
        first = second
    # One that was asked to end is not started again: nothing says that it was killed.
    supervisor.stop(rig.home)
    assert not supervisor.record(rig.home).exists() and Core(rig.home).supervision() == {"state": "ok"}


def test_both_at_once_are_told_and_are_back_with_the_next_command(rig: ProcessRig) -> None:
    rig.target.apply(rig.wanted("def init(): pass\ndef run(data): return data\n"))
    port = rig.until("ready").port
    [front] = fronts.live(ProcessFolder(rig.home, "u1"))
    both = [keeper(rig.home), front.process]
    for process in both:
        processes.send(process, signal.SIGKILL)
    processes.wait_ended(both, 5)
    assert supervisor.killed(rig.home) == [rig.home]
    found = Core(rig.home).supervision()
    assert found["state"] == "killed" and not healthy(port)
    rig.observe("u1")
    wait_for(lambda: healthy(port))
    assert supervisor.killed(rig.home) == []


def sentinels(home: Path) -> list[psutil.Process]:
    """What waits for the end of a home's keeper of containers."""
    mark = str(supervisor.record(place(home)))
    return [one for one in psutil.process_iter() if one.is_running() and mark in _command(one)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_the_keeper_of_containers_and_its_sentinel_start_each_other_and_both_at_once_are_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-P", "-m", "sendoff.targets.docker.keeper", "--home", str(home)]
    process = subprocess.Popen(command)
    try:
        first = keeper(place(home))
        wait_for(lambda: len(sentinels(home)) == 1)
        assert supervisor.killed(home) == []
        processes.send(first, signal.SIGKILL)
        process.wait()
        second = keeper(place(home))
        assert second != first
        wait_for(lambda: len(sentinels(home)) == 1)
        [sentinel] = sentinels(home)
        sentinel.kill()
        wait_for(lambda: [one.pid for one in sentinels(home)] not in ([], [sentinel.pid]))
        assert supervisor.running(place(home)) == second
        # Both at once: nobody is left.
        sentinels(home)[0].suspend()
        processes.send(second, signal.SIGKILL)
        sentinels(home)[0].kill()
        wait_for(lambda: supervisor.killed(home) == [place(home)])
        assert Core(home).supervision()["of"] == [str(supervisor.folder(place(home)))]
        # One that is asked to end is not started again, and nobody waits for it any more.
        process = subprocess.Popen(command)
        wait_for(lambda: len(sentinels(home)) == 1)
        supervisor.stop(place(home))
        wait_for(lambda: sentinels(home) == [])
        assert supervisor.running(place(home)) is None
    finally:
        supervisor.stop(place(home))
        process.wait()
