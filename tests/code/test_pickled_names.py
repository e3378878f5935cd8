"""Classes of the training script that a pickle names have to be in the score script; a check tells which are not."""

from __future__ import annotations

import pytest
from deployment_rigs import WS, fake_rooms

from sendoff.code.checked_code import content
from sendoff.code.pickled_names import main_notes
from sendoff.registry import Registry
from sendoff.spec.environment import EnvironmentSpec
from sendoff.spec.inference import InferenceSpec, SourceSpec
from sendoff.spec.model import ManifestFile, RegisterModel
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import open_store

PICKLE = b"\x80\x02c__main__\nEncoder\n)\x81c__main__\nScale.by\n)\x81\x86."
RUNS = "def init(): ...\ndef run(data): ...\n"


@pytest.fixture
def store(tmp_path):
    store = open_store(tmp_path / "home")
    Registry(store).create_workspace(CreateWorkspace(name=WS))
    yield store
    store.close()


@pytest.fixture
def model(store):
    digest, size = store.blobs.put_bytes(PICKLE)
    body = RegisterModel(name="m", files=[ManifestFile(path="m.pkl", digest=digest, size=size)])
    return Registry(store).register(WS, body)


@pytest.mark.parametrize(
    ("script", "lost"),
    [
        ("", "names Encoder and Scale of"),
        ("class Encoder: ...\n", "names Scale of"),
        ("from training import Encoder, Scale\n", None),
        ("from training import *\n", None),
        ("class Scale: ...\ntry:\n    from a import Encoder\nexcept ImportError:\n    Encoder = None\n", None),
    ],
)
def test_what_the_script_lacks_is_named(model, script, lost) -> None:
    notes = main_notes([model], "score.py", (script + RUNS).encode())
    assert len(notes) == (lost is not None)
    assert lost is None or (lost in notes[0] and "score.py neither defines nor imports" in notes[0])


def test_it_is_a_note_of_the_check(store, model) -> None:
    digest, size = store.blobs.put_bytes(RUNS.encode())
    source = SourceSpec(
        entry_script="score.py", source_directory=None, files=[ManifestFile(path="score.py", digest=digest, size=size)]
    )
    inference = InferenceSpec(source=source, environment=EnvironmentSpec(name="env"))
    found = content(fake_rooms(store), WS, ["m"], inference)
    assert any("names Encoder and Scale" in note for note in found.notes)
