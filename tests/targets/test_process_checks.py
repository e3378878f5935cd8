"""What the process target looks at before it starts anything: ports, bundles, interpreters."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from rigs import ANSWERS, HANGS, ProcessRig, score, wait_for

from sendoff import processes
from sendoff.errors import InvalidInput, PortInUse
from sendoff.targets.process import fronts
from sendoff.targets.process.records import ProcessFolder


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ProcessRig]:
    made = ProcessRig(tmp_path)
    yield made
    made.close()


class TestPorts:
    def test_a_new_port_is_served_before_the_old_one_ends(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        old = rig.until("ready")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        before = rig.front()
        assert before is not None
        rig.target.apply(rig.answering("two", revision=2, port=port))
        assert score(old)["said"] == "one"
        new = rig.until("ready", revision=2)
        assert new.port == port
        assert score(new)["said"] == "two"
        assert processes.wait_ended([before], 15) == []
        rig.target.remove("u1")
        assert rig.leftovers("u1") == []

    def test_a_revision_that_fails_on_a_new_port_leaves_the_old_port_serving(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        old = rig.until("ready")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        rig.target.apply(rig.failing(revision=2, port=port))
        seen = rig.until_pending("failed")
        assert (seen.phase, seen.revision, seen.port) == ("ready", 1, old.port)
        assert score(seen)["said"] == "one"
        rig.target.apply(rig.answering("three", revision=3))
        assert score(rig.until("ready", revision=3))["said"] == "three"
        wait_for(lambda: len(fronts.live(ProcessFolder(rig.home, "u1"))) == 1)

    def test_a_given_port_is_checked_before_anything_starts(self, rig: ProcessRig) -> None:
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.1", 0))
            stranger.listen()
            with pytest.raises(PortInUse) as caught:
                rig.target.check(rig.answering("one", port=stranger.getsockname()[1]))
        assert caught.value.context["pid"] == os.getpid()
        assert not (rig.home / "run").exists()

    def test_a_service_keeps_its_port_while_it_is_down(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.wanted(HANGS))
        rig.until("init")
        wanted = ProcessFolder(rig.home, "u1").wanted()
        assert wanted is not None
        with pytest.raises(PortInUse) as caught:
            rig.target.check(rig.answering("two", uid="u2", port=wanted.port))
        assert "name-u1" in caught.value.message

    def test_a_chosen_port_handed_back_to_its_service_changes_nothing(self, rig: ProcessRig) -> None:
        rig.target.apply(rig.answering("one"))
        port = rig.until("ready").port or 0
        front = rig.front()
        rig.target.apply(rig.answering("two", revision=2, port=port))
        assert rig.until("ready", revision=2).port == port
        assert rig.front() == front
        wanted = ProcessFolder(rig.home, "u1").wanted()
        assert wanted is not None
        assert wanted.chosen_port

    def test_impossible_ports_are_refused(self, rig: ProcessRig) -> None:
        with pytest.raises(InvalidInput):
            rig.target.check(rig.answering("one", port=70_000))


class TestCheck:
    def test_a_bundle_that_is_none_is_refused(self, rig: ProcessRig) -> None:
        with pytest.raises(InvalidInput, match=r"bundle\.json"):
            rig.target.apply(rig.wanted(ANSWERS, bundle="none"))
        assert rig.observe("u1").phase == "absent"

    def test_a_broken_bundle_is_refused_and_the_old_revision_goes_on(self, rig: ProcessRig) -> None:
        if rig.stand_in:
            pytest.skip("the stand-in does not read bundle.json")
        rig.target.apply(rig.answering("one"))
        rig.until("ready")
        broken = rig.answering("two", revision=2)
        (rig.folder(broken) / "bundle.json").write_text('{"schema_version": 99}')
        with pytest.raises(InvalidInput, match="bundle"):
            rig.target.apply(broken)
        seen = rig.observe("u1")
        assert (seen.phase, seen.revision, seen.pending_revision) == ("ready", 1, None)
        assert score(seen)["said"] == "one"

    def test_an_interpreter_that_is_none_is_refused(self, rig: ProcessRig) -> None:
        with pytest.raises(InvalidInput, match="interpreter"):
            rig.target.check(rig.answering("one", artefact=rig.artefact(str(rig.tmp / "python"))))

    def test_a_uid_cannot_leave_the_folder(self, rig: ProcessRig) -> None:
        for uid in ("../x", "", ".hidden", "a/b", "a\0b"):
            with pytest.raises(InvalidInput):
                rig.observe(uid)
