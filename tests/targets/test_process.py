"""What is the process target's own: outliving its starter, restarts, reboots, ports, and being killed half-way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rigs import STAND_IN, ProcessRig, access, process_target, score, wait_for

from sendoff import processes, sockets
from sendoff.spec.parse import replace, to_builtins
from sendoff.targets import front_control, supervisor
from sendoff.targets.process import fronts
from sendoff.targets.process.records import ProcessFolder
from sendoff.targets.process.supervisor import needed

SUPERVISOR = "sendoff.targets.process.supervisor"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ProcessRig]:
    made = ProcessRig(tmp_path)
    yield made
    made.close()


def in_another_process(code: str, rig: ProcessRig, **values: object) -> int:
    """Run code with a target on the rig's home; returns the exit status."""
    given = json.dumps({"home": str(rig.home), "front": rig.command, **values})
    program = (
        "import json, os, signal, sys\n"
        "from pathlib import Path\n"
        "from sendoff import processes\n"
        "from sendoff.targets import front_control, run_folder\n"
        "from sendoff.targets.process import fronts\n"
        "from sendoff.spec.parse import decode\n"
        "from sendoff.spec.settings import Settings\n"
        "from sendoff.targets.base import Place, Surroundings, Wanted\n"
        "from sendoff.targets.process.target import ProcessTarget\n"
        "given = json.loads(sys.argv[1])\n"
        "die = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "here = Surroundings(home=Path(given['home']), settings=Settings())\n"
        "target = ProcessTarget(Place(kind='process'), here, front=given['front'])\n"
        "wanted = decode(given['wanted'], Wanted, where='wanted') if 'wanted' in given else None\n" + code
    )
    return subprocess.run([sys.executable, "-c", program, given], timeout=60).returncode


def test_a_service_outlives_the_process_that_started_it(rig: ProcessRig) -> None:
    assert in_another_process("target.apply(wanted)", rig, wanted=to_builtins(rig.answering("one"))) == 0
    assert score(rig.until("ready"))["said"] == "one"


def test_the_front_does_not_see_variables_of_the_deploying_shell(
    rig: ProcessRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SECRET", "x")
    script = "import os\ndef init(): pass\ndef run(data): return {'said': os.environ.get('MY_SECRET', 'nothing')}\n"
    rig.target.apply(rig.wanted(script))
    assert score(rig.until("ready"))["said"] == "nothing"


class TestSupervisor:
    def test_killed_it_is_missed_by_nobody_and_the_next_command_restarts_it(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        seen = rig.until("ready")
        wait_for(lambda: supervisor.running(rig.home) is not None)
        first = supervisor.running(rig.home)
        assert first is not None
        processes.send(first, signal.SIGKILL)
        processes.wait_ended([first], 5)
        front = rig.front()
        assert front is not None
        assert score(seen)["said"] == "one"
        process_target(rig.home)
        wait_for(lambda: supervisor.running(rig.home) not in (None, first))
        # It takes the front over instead of starting another, and does watch it.
        assert rig.front() == front
        processes.send(front, signal.SIGKILL)
        wait_for(lambda: rig.front() not in (None, front))
        assert score(rig.until("ready"))["said"] == "one"

    def test_killed_together_with_the_front_both_are_back_after_the_next_look(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        first = rig.until("ready")
        wait_for(lambda: supervisor.running(rig.home) is not None)
        both = [supervisor.running(rig.home), rig.front()]
        for process in both:
            assert process is not None
            processes.send(process, signal.SIGKILL)
        again = rig.until("ready")
        assert again.port == first.port
        assert score(again)["said"] == "one"

    def test_one_lives_in_a_home_however_many_are_started(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        wait_for(lambda: supervisor.running(rig.home) is not None)
        second = subprocess.run([sys.executable, "-m", SUPERVISOR, "--home", str(rig.home)], timeout=30)
        assert second.returncode == 0
        assert supervisor.running(rig.home) is not None

    def test_it_ends_when_nothing_has_been_wanted_for_a_while(self, rig: ProcessRig) -> None:
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "sendoff.targets.process.supervisor",
                "--home",
                str(rig.home),
                "--idle-seconds",
                "0.2",
            ],
            timeout=30,
        )
        assert ended.returncode == 0
        assert supervisor.running(rig.home) is None

    def test_it_ends_when_the_home_is_gone(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        wait_for(lambda: supervisor.running(rig.home) is not None)
        process = supervisor.running(rig.home)
        assert process is not None
        rig.until("ready")
        rig.target.remove("u1")
        rig.home.rename(rig.tmp / "elsewhere")
        assert processes.wait_ended([process], 10) == []

    def test_a_command_starts_none_when_nothing_is_wanted(self, rig: ProcessRig) -> None:
        assert not supervisor.ensure(rig.home, rig.home, module="none", needed=needed)
        assert not rig.home.exists()

    def test_it_stays_small(self, rig: ProcessRig) -> None:
        loaded = subprocess.run(
            [sys.executable, "-c", "import sys, sendoff.targets.process.supervisor; print(*sys.modules)"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert not {"msgspec", "sqlalchemy", "psutil", "http.client", "logging", "asyncio"} & set(loaded)


class TestCrashes:
    def test_after_a_failed_update_a_restarted_front_serves_what_worked(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        first = rig.until("ready")
        rig.target.apply(rig.failing(revision=2))
        rig.until_pending("failed")
        front = rig.front()
        assert front is not None
        processes.send(front, signal.SIGKILL)
        wait_for(lambda: rig.front() not in (None, front))
        again = rig.until("ready", revision=1)
        assert again.port == first.port
        assert score(again)["said"] == "one"
        # What failed is tried once more beside it and told again.
        failed = rig.until_pending("failed")
        assert (failed.phase, failed.revision, failed.pending_revision) == ("ready", 1, 2)

    def test_a_front_that_never_starts_is_given_up_with_its_last_words_4(self, rig: ProcessRig) -> None:
        rig.target = process_target(rig.home, front=STAND_IN)
        wanted = rig.answering("one", workspace="lab")
        (rig.folder(wanted) / "exit-at-start").touch()
        rig.target.apply(wanted)
        seen = rig.until("failed", seconds=60)
        assert seen.error is not None
        assert f"`sendoff service get-logs -n {wanted.name} -w lab`" in seen.error["hint"]
        assert "ends as it was told" in seen.error["message"]
        assert "5 times" in seen.error["message"]
        assert "ends as it was told" in rig.target.logs("u1", 10)
        # The mended bundle is started at once by the next apply.
        (rig.folder(wanted) / "exit-at-start").unlink()
        rig.target.apply(wanted)
        assert score(rig.until("ready"))["said"] == "one"

    def test_while_a_front_that_once_worked_crashes_the_reason_and_attempts_are_told_3(self, rig: ProcessRig) -> None:
        rig.target = process_target(rig.home, front=STAND_IN)
        wanted = rig.answering("one")
        rig.target.apply(wanted)
        rig.until("ready")
        wait_for(lambda: ProcessFolder(rig.home, "u1").good() is not None)
        (rig.folder(wanted) / "exit-at-start").touch()
        front = rig.front()
        assert front is not None
        processes.send(front, signal.SIGKILL)
        wait_for(lambda: ProcessFolder(rig.home, "u1").crashes().attempts >= 2)
        seen = rig.until("unhealthy")
        assert seen.error is not None
        assert seen.error["code"] == "front_ended"
        assert "attempt" in seen.error["message"]

    def test_a_suspended_front_is_unhealthy_and_does_not_hang_the_look(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        rig.until("ready")
        front = rig.front()
        assert front is not None
        processes.send(front, signal.SIGSTOP)
        began = time.monotonic()
        seen = rig.until("unhealthy")
        assert seen.error is not None
        assert "suspended" in seen.error["message"]
        # A bound, not a speed: whoever looks must not hang with what it looks at.
        assert time.monotonic() - began < 10
        processes.send(front, signal.SIGCONT)
        assert score(rig.until("ready"))["said"] == "one"

    def test_a_suspended_front_is_removed_too(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        rig.until("ready")
        front = rig.front()
        assert front is not None
        processes.send(front, signal.SIGSTOP)
        rig.target.remove("u1")
        assert rig.leftovers("u1") == []

    def test_a_pid_that_now_belongs_to_another_process_is_left_alone(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        rig.until("ready")
        folder = ProcessFolder(rig.home, "u1")
        supervisor.stop(rig.home)
        front = fronts.live(folder)[0]
        processes.send(front.process, signal.SIGKILL)
        processes.wait_ended([front.process], 5)
        stranger = subprocess.Popen(["sleep", "60"])
        try:
            folder.write(front._replace(pid=stranger.pid))
            assert rig.observe("u1").phase == "unhealthy"
            rig.target.remove("u1")
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()


class TestKilledHalfWay:
    def test_an_apply_killed_right_after_the_start_is_taken_over(self, rig: ProcessRig) -> None:
        code = (
            "start = fronts._process\n"
            "def process(*of):\n"
            "    start(*of)\n"
            "    die()\n"
            "fronts._process = process\n"
            "target.apply(wanted)\n"
        )
        assert in_another_process(code, rig, wanted=to_builtins(rig.answering("one"))) == -signal.SIGKILL
        [record] = ProcessFolder(rig.home, "u1").fronts()
        assert record.pid == 0
        rig.observe("u1")
        assert score(rig.until("ready"))["said"] == "one"
        # Its pid is not on record, and still there is no second front.
        assert len([p for p in processes.marked(record.token) if record.control in processes.command(p)]) == 1
        assert [front.token for front in ProcessFolder(rig.home, "u1").fronts()] == [record.token]

    def test_an_apply_killed_before_the_start_is_finished_by_the_supervisor(self, rig: ProcessRig) -> None:
        code = "fronts.advance = die\ntarget.apply(wanted)\n"
        assert in_another_process(code, rig, wanted=to_builtins(rig.answering("one"))) == -signal.SIGKILL
        assert rig.observe("u1").phase == "starting"
        assert score(rig.until("ready"))["said"] == "one"

    def test_an_update_killed_before_the_front_heard_of_it_is_finished(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        rig.until("ready")
        code = "front_control.swap = die\ntarget.apply(wanted)\n"
        assert in_another_process(code, rig, wanted=to_builtins(rig.answering("two", revision=2))) == -signal.SIGKILL
        assert score(rig.until("ready", revision=2))["said"] == "two"

    @pytest.mark.parametrize(
        "code",
        [
            "front_control.stop = die",
            "processes.wait_ended = die",
            "fronts._end_family = die",
            "run_folder.RunFolder.delete = die",
            "run_folder.shutil.rmtree = die",
        ],
    )
    def test_a_removal_killed_anywhere_is_finished(self, rig: ProcessRig, code: str) -> None:
        rig.target.apply(rig.answering("one"))
        rig.until("ready")
        assert in_another_process(code + "\ntarget.remove('u1')\n", rig) == -signal.SIGKILL
        wait_for(lambda: rig.observe("u1").phase == "absent")
        rig.target.remove("u1")
        assert rig.leftovers("u1") == []
        assert list((rig.home / "run").glob(".removed-*")) == []


class TestReboot:
    @pytest.fixture
    def rebooted(self, rig: ProcessRig) -> ProcessRig:
        """A home as a reboot leaves it: nothing runs, and the records are those of another boot."""
        wanted = rig.answering("one")
        rig.target.apply(wanted)
        rig.until("ready")
        wait_for(lambda: ProcessFolder(rig.home, "u1").good() is not None)
        wait_for(lambda: supervisor.running(rig.home) is not None)
        supervisor.stop(rig.home)
        folder = ProcessFolder(rig.home, "u1")
        for front in fronts.live(folder):
            for process in processes.marked(front.token):
                processes.send(process, signal.SIGKILL)
            processes.wait_ended([front.process], 5)
            Path(front.control).unlink(missing_ok=True)
            folder.write(front._replace(boot="another boot"))
        stored = folder.wanted()
        assert stored is not None
        folder.write(stored._replace(boot="another boot"))
        rig.first = wanted
        return rig

    def test_the_truth_is_told_and_nothing_starts_unasked(self, rebooted: ProcessRig) -> None:
        seen = rebooted.observe("u1")
        assert seen.phase == "absent"
        assert seen.error is not None
        assert seen.error["code"] == "not_running_since_reboot"
        assert "sendoff up" in seen.error["hint"]
        assert rebooted.present() == ["u1"]
        time.sleep(0.5)
        assert supervisor.running(rebooted.home) is None
        assert rebooted.front() is None

    def test_asking_for_it_again_starts_it_on_its_port(self, rebooted: ProcessRig) -> None:
        port = rebooted.observe("u1").port
        rebooted.target.apply(rebooted.first)
        seen = rebooted.until("ready")
        assert seen.port == port
        assert score(seen)["said"] == "one"

    def test_new_keys_do_not_start_it(self, rebooted: ProcessRig) -> None:
        rebooted.target.apply(replace(rebooted.first, start=False, access=access("new")))
        time.sleep(0.3)
        assert rebooted.front() is None
        assert rebooted.observe("u1").phase == "absent"

    def test_applying_another_service_does_not_start_it(self, rebooted: ProcessRig) -> None:
        rebooted.target.apply(rebooted.answering("two", uid="u2"))
        rebooted.until("ready", uid="u2")
        wait_for(lambda: supervisor.running(rebooted.home) is not None)
        time.sleep(1)
        assert rebooted.observe("u1").error["code"] == "not_running_since_reboot"  # type: ignore[index]

    def test_a_supervisor_started_at_boot_restores_everything(self, rebooted: ProcessRig) -> None:
        argv = [
            sys.executable,
            "-m",
            "sendoff.targets.process.supervisor",
            "--home",
            str(rebooted.home),
            "--restore",
            "--stay",
        ]
        unit = subprocess.Popen(argv)
        try:
            assert score(rebooted.until("ready"))["said"] == "one"
        finally:
            unit.terminate()
            assert unit.wait(10) == 0

    def test_applying_it_starts_it_on_its_port(self, rebooted: ProcessRig) -> None:
        port = rebooted.observe("u1").port
        rebooted.target.apply(rebooted.answering("one"))
        assert rebooted.until("ready").port == port

    def test_it_can_be_removed(self, rebooted: ProcessRig) -> None:
        rebooted.target.remove("u1")
        assert rebooted.leftovers("u1") == []


def test_a_front_that_hangs_holds_up_nobody_elses_observation(rig: ProcessRig) -> None:
    uids = [f"u{number}" for number in range(4)]
    for uid in uids:
        rig.target.apply(rig.answering("one", uid=uid))
    for uid in uids:
        rig.until("ready", uid=uid)
    for uid in uids[:3]:
        front = rig.front(uid)
        assert front is not None
        processes.send(front, signal.SIGSTOP)
    began = time.monotonic()
    seen = rig.target.observe(uids)
    assert time.monotonic() - began < 3.0, "each of them takes a second to give up"
    assert [seen[uid].phase for uid in uids] == ["unhealthy"] * 3 + ["ready"]


def test_a_memory_limit_is_the_fronts_and_goes_with_the_revision(rig: ProcessRig) -> None:
    if rig.stand_in:
        pytest.skip("the stand-in keeps no limits")

    def limit() -> object:
        [front] = fronts.live(ProcessFolder(rig.home, "u1"))
        return front_control.status(front.control)["serving"]["memory_limit_mb"]

    rig.target.apply(rig.answering("one", memory_mb=700))
    rig.until("ready")
    assert limit() == 700
    rig.target.apply(rig.answering("two", revision=2, memory_mb=800))
    rig.until("ready", revision=2)
    assert limit() == 800
    front = rig.front()
    assert front is not None
    processes.send(front, signal.SIGKILL)
    wait_for(lambda: rig.front() not in (None, front), 10)
    rig.until("ready", revision=2)
    assert limit() == 800, "after a crash too"
    rig.target.apply(rig.answering("three", revision=3))
    rig.until("ready", revision=3)
    assert limit() is None


def test_records_and_sockets_are_the_users_alone(rig: ProcessRig) -> None:
    rig.target.apply(rig.answering("one"))
    rig.until("ready")
    folder = ProcessFolder(rig.home, "u1")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert (folder.path / "wanted.json").stat().st_mode & 0o777 == 0o600
    control = Path(fronts.live(folder)[0].control)
    assert control.parent.stat().st_mode & 0o777 == 0o700
    assert len(str(control)) < sockets.MAX_SOCKET_PATH
