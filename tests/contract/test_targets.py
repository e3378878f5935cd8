"""The conformance suite of targets: what every one of them does, shown on each.

A target joins with a rig in ``tests/targets/rigs.py``. Requests are real where the target is;
the fake has none to send.
"""

from __future__ import annotations

import http.client
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "targets"))

from docker_rig import DockerRig
from rigs import HANGS, REAL_SERVER, RIGS, Rig, score, wait_for

from sendoff import processes
from sendoff.errors import NotFound, PortInUse


@pytest.fixture(params=[*RIGS, DockerRig], ids=lambda rig: rig.name)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    made = request.param(tmp_path)
    yield made
    made.close()


@pytest.fixture
def real(rig: Rig) -> Rig:
    if not rig.real:
        pytest.skip("the fake has nothing to send requests to, or to kill")
    return rig


class Hammer:
    """A client that sends one request after another over kept-alive connections and keeps every failure."""

    def __init__(self, port: int, threads: int = 3) -> None:
        self.port = port
        self.failures: list[str] = []
        self.said: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self) -> Hammer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _run(self) -> None:
        import json

        link: http.client.HTTPConnection | None = None
        while not self._stop.is_set():
            try:
                link = link or http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                link.request("POST", "/score", '"x"', {"Content-Type": "application/json"})
                answer = link.getresponse()
                body = answer.read()
                if answer.status == 200:
                    self.said.append(json.loads(body)["said"])
                else:
                    self.failures.append(f"{answer.status} {body!r}")
                if answer.will_close:
                    link.close()
                    link = None
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                link = None


def test_an_unknown_service_is_absent(rig: Rig) -> None:
    assert rig.target.observe("nobody").phase == "absent"
    assert list(rig.target.present()) == []
    rig.target.remove("nobody")


def test_a_service_becomes_ready_and_answers(rig: Rig) -> None:
    rig.target.apply(rig.answering("one"))
    seen = rig.until("ready")
    assert (seen.revision, seen.error, seen.pending_phase) == (1, None, None)
    assert seen.port
    assert list(rig.target.present()) == ["u1"]
    if rig.real:
        assert score(seen)["said"] == "one"
        assert seen.workers and all(worker.pid for worker in seen.workers)


def test_applying_twice_changes_nothing(rig: Rig) -> None:
    wanted = rig.answering("one")
    rig.target.apply(wanted)
    rig.target.apply(wanted)
    first = rig.until("ready")
    before = rig.front()
    rig.target.apply(wanted)
    again = rig.target.observe("u1")
    assert (again.phase, again.revision, again.pending_phase) == ("ready", 1, None)
    assert again.port == first.port
    assert [w.pid for w in again.workers] == [w.pid for w in first.workers]
    assert rig.front() == before


def test_a_failing_init_is_reported_with_its_line_2(rig: Rig) -> None:
    rig.target.apply(rig.failing())
    seen = rig.until("failed")
    assert seen.revision == 1
    assert seen.error is not None
    assert "ValueError" in seen.error["traceback"]
    assert Path(seen.error["file"]).name == "score.py"
    assert seen.error["line"] == (4 if rig.real else 7)
    # The server writes its log a moment behind.
    wait_for(lambda: "ValueError" in rig.target.logs("u1", 100))
    assert "ValueError" in rig.target.logs("u1", 100, init=True)


def test_a_failed_first_revision_is_replaced_by_one_that_works(rig: Rig) -> None:
    rig.target.apply(rig.failing())
    rig.until("failed")
    rig.target.apply(rig.answering("mended", revision=2))
    seen = rig.until("ready", revision=2)
    if rig.real:
        assert score(seen)["said"] == "mended"


def test_an_update_never_fails_a_request_10(real: Rig) -> None:
    real.target.apply(real.answering("one"))
    seen = real.until("ready")
    with Hammer(seen.port or 0) as hammer:
        wait_for(lambda: len(hammer.said) > 20)
        real.target.apply(real.answering("two", revision=2))
        real.until("ready", revision=2)
        wait_for(lambda: hammer.said[-1] == "two" or bool(hammer.failures))
        time.sleep(0.5)
    assert hammer.failures == []
    assert set(hammer.said) == {"one", "two"}


def test_a_failed_update_leaves_the_old_revision_serving(rig: Rig) -> None:
    rig.target.apply(rig.answering("one"))
    rig.until("ready")
    rig.target.apply(rig.failing(revision=2))
    seen = rig.until_pending("failed")
    assert (seen.phase, seen.revision, seen.error) == ("ready", 1, None)
    assert seen.pending_revision == 2
    assert seen.pending_error is not None
    assert "ValueError" in seen.pending_error["traceback"]
    if rig.real:
        assert score(seen)["said"] == "one"


def test_going_back_after_a_failed_update_forgets_the_failure(rig: Rig) -> None:
    first = rig.answering("one")
    rig.target.apply(first)
    workers = rig.until("ready").workers
    rig.target.apply(rig.failing(revision=2))
    rig.until_pending("failed")
    rig.target.apply(first)
    seen = rig.target.observe("u1")
    assert (seen.phase, seen.revision, seen.pending_revision) == ("ready", 1, None)
    assert [worker.pid for worker in seen.workers] == [worker.pid for worker in workers]


def test_going_back_while_an_update_is_loading_ends_it(real: Rig) -> None:
    first = real.answering("one")
    real.target.apply(first)
    real.until("ready")
    real.target.apply(real.wanted(HANGS, revision=2))
    real.until_pending("init")
    real.target.apply(first)
    seen = real.until_pending(None)
    assert (seen.phase, seen.revision) == ("ready", 1)
    assert score(seen)["said"] == "one"


def test_going_back_to_an_earlier_revision_is_an_update(rig: Rig) -> None:
    first = rig.answering("one")
    rig.target.apply(first)
    rig.until("ready")
    rig.target.apply(rig.answering("two", revision=2))
    rig.until("ready", revision=2)
    rig.target.apply(first)
    rig.until("ready", revision=1)
    if rig.real:
        wait_for(lambda: score(rig.target.observe("u1"))["said"] == "one")


def test_removing_leaves_nothing_and_may_be_repeated(rig: Rig) -> None:
    rig.target.apply(rig.answering("one"))
    seen = rig.until("ready")
    rig.target.remove("u1")
    assert rig.target.observe("u1").phase == "absent"
    assert list(rig.target.present()) == []
    assert rig.leftovers("u1") == []
    if rig.real:
        assert all(processes.identify(worker.pid) is None for worker in seen.workers)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", seen.port or 0)) != 0
    rig.target.remove("u1")


def test_removing_finishes_the_request_in_progress_11(real: Rig) -> None:
    script = """
        import time
        def init():
            pass
        def run(data):
            time.sleep(1)
            return {"said": "finished"}
    """
    real.target.apply(real.wanted(script))
    seen = real.until("ready")
    answers: list[object] = []
    client = threading.Thread(target=lambda: answers.append(score(seen)))
    client.start()
    wait_for(lambda: any(worker.state == "busy" for worker in real.target.observe("u1").workers) or real.stand_in)
    real.target.remove("u1")
    client.join(20)
    assert answers == [{"said": "finished"}]
    assert real.leftovers("u1") == []


def test_removing_while_init_hangs_leaves_nothing(real: Rig) -> None:
    real.target.apply(real.wanted(HANGS))
    real.until("init")
    real.target.remove("u1")
    assert real.leftovers("u1") == []


def test_a_removed_service_can_be_made_anew(rig: Rig) -> None:
    wanted = rig.answering("one")
    for _ in range(2):
        rig.target.apply(wanted)
        seen = rig.until("ready")
        if rig.real:
            assert score(seen)["said"] == "one"
        rig.target.remove("u1")


def test_logs_give_the_newest_lines(rig: Rig) -> None:
    rig.target.apply(rig.answering("one"))
    rig.until("ready")
    wait_for(lambda: not rig.real or "init of one" in rig.target.logs("u1", 1000))
    everything: list[str] = []

    def the_newest() -> bool:  # again when a line has come between the two
        everything[:] = rig.target.logs("u1", 1000).splitlines()
        return rig.target.logs("u1", 1).splitlines() == everything[-1:] != []

    wait_for(the_newest)
    assert rig.target.logs("nobody", 10) == ""
    if rig.real:
        assert any("init of one" in line for line in everything)
        assert "init of one" in rig.target.logs("u1", 1000, init=True)


def test_two_services_run_at_once(rig: Rig) -> None:
    rig.target.apply(rig.answering("one", uid="u1"))
    rig.target.apply(rig.answering("two", uid="u2"))
    first, second = rig.until("ready", uid="u1"), rig.until("ready", uid="u2")
    assert first.port != second.port
    assert sorted(rig.target.present()) == ["u1", "u2"]
    if rig.real:
        assert (score(first)["said"], score(second)["said"]) == ("one", "two")
    rig.target.remove("u1")
    assert rig.until("ready", uid="u2").phase == "ready"
    assert rig.target.observe("u1").phase == "absent"


def test_a_port_of_another_service_is_refused_before_anything_starts(rig: Rig) -> None:
    rig.target.apply(rig.answering("one", uid="u1"))
    port = rig.until("ready", uid="u1").port or 0
    with pytest.raises(PortInUse):
        rig.target.check(rig.answering("two", uid="u2", port=port))
    with pytest.raises(PortInUse):
        rig.target.apply(rig.answering("two", uid="u2", port=port))
    assert list(rig.target.present()) == ["u1"]


def test_a_port_of_a_stranger_is_refused_and_named(real: Rig) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        with pytest.raises(PortInUse) as caught:
            real.target.apply(real.answering("one", port=port))
        assert str(port) in caught.value.message
        assert "this very process" in caught.value.message
    assert list(real.target.present()) == []


def test_reloading_reads_the_files_anew(real: Rig) -> None:
    wanted = real.answering("one")
    real.target.apply(wanted)
    first = real.until("ready")
    script = Path(wanted.bundle) / "app" / "score.py"
    script.write_text(script.read_text().replace("'one'", "'fresh'"))
    with Hammer(first.port or 0) as hammer:
        real.target.reload("u1")
        wait_for(lambda: "fresh" in hammer.said or bool(hammer.failures))
    assert hammer.failures == []
    assert real.target.observe("u1").revision == 1


def test_reloading_an_unknown_service_says_so(rig: Rig) -> None:
    with pytest.raises(NotFound):
        rig.target.reload("nobody")


def test_a_killed_front_is_back_on_the_same_port_within_seconds(real: Rig) -> None:
    real.target.apply(real.answering("one"))
    first = real.until("ready")
    front = real.front()
    assert front is not None
    processes.send(front, processes.signal.SIGKILL)
    wait_for(lambda: real.front() not in (None, front), 10)
    again = real.until("ready", seconds=10)
    assert again.port == first.port
    assert score(again)["said"] == "one"


def test_a_killed_worker_is_replaced_36(real: Rig) -> None:
    if real.stand_in:
        pytest.skip("the stand-in has no worker that could be replaced")
    real.target.apply(real.answering("one"))
    first = real.until("ready")
    worker = processes.identify(first.workers[0].pid)
    assert worker is not None
    processes.send(worker, processes.signal.SIGKILL)

    def replaced() -> bool:
        seen = real.target.observe("u1")
        return seen.phase == "ready" and worker.pid not in [w.pid for w in seen.workers if w.state != "dead"]

    wait_for(replaced, 15)
    assert score(real.target.observe("u1"))["said"] == "one"


def test_what_the_server_counts_is_told_when_it_is_asked_for(rig: Rig) -> None:
    rig.target.apply(rig.wanted(COUNTED))
    seen = rig.until("ready")
    assert rig.target.observe("u1").metrics is None
    if rig.real and REAL_SERVER:
        score(seen, '"x"')
        told = rig.target.observe("u1", metrics=True).metrics
        assert told is not None and 'sendoff_requests_total{code="200",reason="ok"} 1' in told


COUNTED = "def init():\n    pass\n\n\ndef run(data):\n    return 1\n"
