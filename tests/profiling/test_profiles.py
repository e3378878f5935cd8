from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from deployment_rigs import WS, Rig

from sendoff.errors import InvalidInput
from sendoff.profiling.profiles import Profiles
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.model import ManifestFile
from sendoff.spec.profile import CreateProfile
from sendoff.targets import table


def test_an_interpreter_that_is_not_there_is_named_before_a_profile_begins(rig: Rig, tmp_path: Path) -> None:
    gone = str(tmp_path / "no" / "python")
    spec = EnvironmentSpec(name="own", python=PythonSpec(user_managed_dependencies=True, interpreter_path=gone))
    digest, size = rig.store.blobs.put_bytes(b"[1]")
    body = CreateProfile(
        name="first",
        inference=rig.inference(environment=spec),
        bodies=[ManifestFile(path="1.json", digest=digest, size=size)],
        target="process",
    )
    profiles = Profiles(dataclasses.replace(rig.rooms, targets=table), rig.operations)
    with pytest.raises(InvalidInput, match=f"the interpreter {gone} does not exist"):
        profiles.create(WS, body)
    assert profiles.list(WS) == []
    assert rig.operations.list(WS) == []
