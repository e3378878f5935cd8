"""The same bundle, byte for byte, runs as processes and in a container; neither leaves a mark in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from docker_rig import DockerRig
from rigs import ProcessRig, listing, score

from sendoff.spec.parse import replace


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[ProcessRig, DockerRig]]:
    in_containers = DockerRig(tmp_path)
    plain = ProcessRig(tmp_path)
    yield plain, in_containers
    in_containers.close()
    plain.close()


def test_one_bundle_runs_on_both(both: tuple[ProcessRig, DockerRig]) -> None:
    plain, in_containers = both
    wanted = plain.answering("one", memory_mb=600)
    before = listing(plain.folder(wanted))
    assert "memory_limit" not in (plain.folder(wanted) / "bundle.json").read_text()
    plain.target.apply(wanted)
    in_containers.target.apply(replace(wanted, uid="u2", artefact=in_containers.artefact()))
    assert score(plain.until("ready"))["said"] == "one"  # type: ignore[index]
    assert score(in_containers.until("ready", uid="u2"))["said"] == "one"  # type: ignore[index]
    assert listing(plain.folder(wanted)) == before
    plain.target.remove("u1")
    in_containers.target.remove("u2")
    assert listing(plain.folder(wanted)) == before
