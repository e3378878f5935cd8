"""Processes are known by pid and start time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from rigs import wait_for

from sendoff import processes


def test_this_process_is_alive_and_another_start_time_is_not() -> None:
    me = processes.identify(os.getpid())
    assert me is not None
    assert processes.alive(me)
    assert not processes.alive(me._replace(start="1"))


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    wait_for(lambda: processes.identify(child.pid) is None)
    child.wait()


def test_a_signal_never_reaches_a_process_that_started_at_another_time() -> None:
    child = subprocess.Popen(["sleep", "60"])
    identity = processes.identify(child.pid)
    assert identity is not None
    assert not processes.send(identity._replace(start="1"), signal.SIGKILL)
    assert child.poll() is None
    assert processes.send(identity, signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    assert not processes.send(identity, signal.SIGKILL)


def test_descendants_carry_the_mark_also_in_another_session(tmp_path: Path) -> None:
    token = os.urandom(8).hex()
    code = "import subprocess, sys; subprocess.run(['sleep', '60'], start_new_session=True)"
    environ = {**os.environ, processes.MARK: token}
    pid = processes.spawn([sys.executable, "-c", code], environ=environ, console=tmp_path / "console")
    try:
        wait_for(lambda: len({os.getsid(process.pid) for process in processes.marked(token)}) == 2)
        assert pid in {process.pid for process in processes.marked(token)}
    finally:
        for process in processes.marked(token):
            processes.send(process, signal.SIGKILL)
    assert processes.wait_ended(processes.marked(token), 10) == []


def test_waiting_gives_back_what_still_runs() -> None:
    child = subprocess.Popen(["sleep", "60"])
    identity = processes.identify(child.pid)
    assert identity is not None
    assert processes.wait_ended([identity], 0.1) == [identity]
    child.kill()
    assert processes.wait_ended([identity], 10) == []
    child.wait()
