"""The conformance suite of targets: what every one of them does, shown on each.

A target joins with a rig in ``tests/targets/rigs.py``. Requests are real where the target is;
the fake has none to send.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

sys.path.append(str(Path(__file__).parents[1] / "targets"))

from docker_rig import DockerRig
from rigs import HANGS, REAL_SERVER, RIGS, Rig, access, listing, score, wait_for

from sendoff import processes
from sendoff.containers.engine import Engine
from sendoff.errors import PortInUse
from sendoff.progress import Progress
from sendoff.spec.environment import EnvironmentSpec, Lock
from sendoff.spec.parse import replace
from sendoff.targets.base import SERVICE, Artefact, Observation, Preparation, Used
from sendoff.targets.meter import Measured


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
    assert rig.observe("nobody").phase == "absent"
    assert rig.present() == []
    rig.target.remove("nobody")


def test_a_service_becomes_ready_and_answers(rig: Rig) -> None:
    rig.target.apply(rig.answering("one"))
    seen = rig.until("ready")
    assert (seen.revision, seen.error, seen.pending_phase) == (1, None, None)
    assert seen.port
    assert rig.present() == ["u1"]
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
    again = rig.observe("u1")
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
    seen = rig.observe("u1")
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
        wait_for(lambda: score(rig.observe("u1"))["said"] == "one")


def test_removing_leaves_nothing_and_may_be_repeated(rig: Rig) -> None:
    rig.target.apply(rig.answering("one"))
    seen = rig.until("ready")
    rig.target.remove("u1")
    assert rig.observe("u1").phase == "absent"
    assert rig.present() == []
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
    wait_for(lambda: any(worker.state == "busy" for worker in real.observe("u1").workers) or real.stand_in)
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
    assert sorted(rig.present()) == ["u1", "u2"]
    if rig.real:
        assert (score(first)["said"], score(second)["said"]) == ("one", "two")
    rig.target.remove("u1")
    assert rig.until("ready", uid="u2").phase == "ready"
    assert rig.observe("u1").phase == "absent"


def test_a_port_of_another_service_is_refused_before_anything_starts(rig: Rig) -> None:
    rig.target.apply(rig.answering("one", uid="u1"))
    port = rig.until("ready", uid="u1").port or 0
    with pytest.raises(PortInUse):
        rig.target.check(rig.answering("two", uid="u2", port=port))
    with pytest.raises(PortInUse):
        rig.target.apply(rig.answering("two", uid="u2", port=port))
    assert rig.present() == ["u1"]


def test_a_port_of_a_stranger_is_refused_and_named(real: Rig) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        with pytest.raises(PortInUse) as caught:
            real.target.apply(real.answering("one", port=port))
        assert str(port) in caught.value.message
        assert "this very process" in caught.value.message
    assert real.present() == []


def status_with(seen: Observation, key: str) -> int:
    try:
        score(seen, key=key)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def test_the_same_revision_again_brings_new_keys_to_what_runs(real: Rig) -> None:
    if real.stand_in:
        pytest.skip("the stand-in checks no keys")
    wanted = real.answering("one", access=access("old", made=1))
    real.target.apply(wanted)
    seen = real.until("ready")
    front = real.front()
    assert (status_with(seen, "old"), status_with(seen, "new")) == (200, 401)
    alone = replace(wanted, access=access("newer", made=3), start=False)
    for key, again in (("new", replace(wanted, access=access("new", made=2))), ("newer", alone)):
        began = time.monotonic()
        real.target.apply(again)
        wait_for(lambda key=key: status_with(seen, key) == 200, 5)  # type: ignore[misc]
        assert time.monotonic() - began < 3.0, "a key that was replaced is refused within a second or so"
        assert status_with(seen, "old") == 401
    # Who looked before the keys were changed, and comes last, brings no old key back.
    real.target.apply(replace(wanted, access=access("old", made=1)))
    time.sleep(1.5)
    assert (status_with(seen, "old"), status_with(seen, "newer")) == (401, 200)
    assert real.front() == front, "nothing was restarted"


def test_keys_alone_start_nothing(rig: Rig) -> None:
    rig.target.apply(rig.answering("one", start=False))
    assert rig.observe("u1").phase == "absent"
    assert rig.leftovers("u1") == []


def test_many_are_observed_at_once(rig: Rig) -> None:
    rig.target.apply(rig.answering("one", uid="u1"))
    rig.target.apply(rig.answering("two", uid="u2"))
    rig.until("ready", uid="u1")
    rig.until("ready", uid="u2")
    seen = rig.target.observe(["u2", "nobody", "u1"])
    assert {uid: one.phase for uid, one in seen.items()} == {"u1": "ready", "u2": "ready", "nobody": "absent"}
    assert rig.target.observe([]) == {}
    assert time.time() - 60 < seen["u1"].seen <= time.time()


def test_what_answers_can_be_reached_where_it_says(real: Rig) -> None:
    real.target.apply(real.answering("one"))
    [endpoint] = real.until("ready").endpoints
    link = http.client.HTTPConnection(endpoint, timeout=10)
    link.request("POST", "/score", '"x"', {"Content-Type": "application/json"})
    assert json.loads(link.getresponse().read())["said"] == "one"
    link.close()


def test_what_nobody_needs_is_told_and_goes(rig: Rig) -> None:
    rig.target.apply(rig.answering("one", uid="u1"))
    rig.target.apply(rig.answering("two", uid="u2"))
    rig.until("ready", uid="u1")
    rig.until("ready", uid="u2")
    assert rig.target.held(Used(services=["u1", "u2"], images=[])) == []
    found = rig.target.held(Used(services=["u2"], images=[]))
    assert {one.id for one in found if one.kind == SERVICE} == {"u1"}
    for one in [*found, *found]:
        one.remove()
    assert rig.leftovers("u1") == []
    assert rig.observe("u2").phase == "ready"


class Maker:
    """Makers that make nothing and note what they are asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []

    def interpreter(self, preparation: Preparation, progress: Progress) -> Artefact:
        self.asked.append(("interpreter", preparation))
        return Artefact(kind="interpreter", reference="made", python="p")

    def image(self, preparation: Preparation, engine: Engine, progress: Progress, *, tag: str) -> Artefact:
        self.asked.append(("image", engine.path))
        return Artefact(kind="image", reference=tag, python="p")


def test_it_has_made_what_it_says_that_it_runs(rig: Rig) -> None:
    makers = Maker()
    preparation = Preparation(
        uid="u1", name="N", workspace="ws", environment=EnvironmentSpec(name="e"), lock=LOCK, bundle="0123456789abcdef"
    )
    made = rig.target.prepare(preparation, makers, lambda _: None)
    assert made.kind == rig.target.capabilities().artefact
    assert [kind for kind, _ in makers.asked] == [made.kind]


def test_a_profile_can_be_made_where_it_says_so(real: Rig) -> None:
    assert real.target.capabilities().measures
    real.target.apply(real.answering("one"))
    seen = real.until("ready")
    meter = cast(Measured, real.target).meter("u1")
    before = meter.usage()
    assert before.memory_mb > 1
    for _ in range(2000):  # the system counts in hundredths of a second
        score(seen)
        if meter.usage().cpu_seconds > before.cpu_seconds:
            break
    else:
        raise AssertionError("two thousand requests have taken no time")
    assert not meter.out_of_memory()
    assert meter.limits_kept is real.target.capabilities().cpu_limit


def test_the_bundle_is_the_same_before_and_after_it_ran(real: Rig) -> None:
    wanted = real.answering("one", memory_mb=600)
    before = listing(real.folder(wanted))
    real.target.apply(wanted)
    assert score(real.until("ready"))["said"] == "one"
    assert listing(real.folder(wanted)) == before
    real.target.remove("u1")
    assert listing(real.folder(wanted)) == before


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
        seen = real.observe("u1")
        return seen.phase == "ready" and worker.pid not in [w.pid for w in seen.workers if w.state != "dead"]

    wait_for(replaced, 15)
    assert score(real.observe("u1"))["said"] == "one"


def test_what_the_server_counts_is_told_when_it_is_asked_for(rig: Rig) -> None:
    rig.target.apply(rig.wanted(COUNTED))
    seen = rig.until("ready")
    assert rig.observe("u1").metrics is None
    if rig.real and REAL_SERVER:
        score(seen, '"x"')
        told = rig.observe("u1", metrics=True).metrics
        assert told is not None and 'sendoff_requests_total{code="200",reason="ok"} 1' in told


COUNTED = "def init():\n    pass\n\n\ndef run(data):\n    return 1\n"

LOCK = Lock(digest="sha256:1", python=sys.executable, python_version="3.11.0", platform="any", method="user-managed")
