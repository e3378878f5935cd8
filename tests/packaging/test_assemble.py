from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sendoff.errors import CorruptBlob, InvalidInput
from sendoff.packaging.assemble import assemble, check_source
from sendoff.spec.bundle import Bundle, BundleEnvironment, BundleService, ServingSettings
from sendoff.spec.inference import SourceSpec
from sendoff.spec.model import ManifestFile
from sendoff.spec.parse import decode
from sendoff.store import Store, open_store

ENVIRONMENT = BundleEnvironment(name="env", version="1", lock_digest="sha256:0", variables={"A": "B"})


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with open_store(tmp_path / "home") as found:
        yield found


def _file(store: Store, path: str, content: bytes = b"x") -> ManifestFile:
    digest, size = store.blobs.put_bytes(content)
    return ManifestFile(path=path, digest=digest, size=size)


def _model(store: Store, name: str, version: int, *paths: str) -> Any:
    files = [_file(store, path, f"{name}{version}{path}".encode()) for path in paths]
    return SimpleNamespace(name=name, version=version, files=files)


def _assemble(store: Store, *models: Any, **fields: Any) -> Path:
    source = fields.pop("source", None) or SourceSpec(
        entry_script="code/score.py", source_directory="code", files=[_file(store, "code/score.py", b"pass")]
    )
    return assemble(
        store,
        service=BundleService(name="svc"),
        models=models,
        source=source,
        environment=ENVIRONMENT,
        serving=ServingSettings(**fields),
    )


def test_one_model_lies_where_the_article_says(store: Store) -> None:
    folder = _assemble(store, _model(store, "m", 3, "model.pkl"))
    bundle = decode((folder / "bundle.json").read_bytes(), Bundle, where="bundle")
    assert (bundle.model_dir, bundle.entry_script) == ("azureml-models/m/3", "code/score.py")
    assert (folder / "app" / "azureml-models" / "m" / "3" / "model.pkl").read_bytes() == b"m3model.pkl"
    assert (folder / "app" / "code" / "score.py").read_bytes() == b"pass"


def test_several_models_share_one_folder_and_none_has_none(store: Store) -> None:
    several = _assemble(store, _model(store, "a", 1, "x"), _model(store, "b", 2, "y/z"))
    assert json.loads((several / "bundle.json").read_bytes())["model_dir"] == "azureml-models"
    assert (several / "app" / "azureml-models" / "b" / "2" / "y" / "z").is_file()
    assert json.loads((_assemble(store) / "bundle.json").read_bytes())["model_dir"] is None


def test_the_scoring_server_reads_it(store: Store) -> None:
    serving = pytest.importorskip("sendoff_serving.bundle")
    found = serving.load(_assemble(store, _model(store, "m", 1, "f"), workers=2, memory_limit_mb=512))
    assert (found.serving.workers, found.serving.memory_limit_mb) == (2, 512)
    assert found.variables == {"A": "B"}


def test_equal_inputs_have_one_bundle_and_others_another(store: Store) -> None:
    models = [_model(store, "a", 1, "x"), _model(store, "b", 2, "y")]
    first = _assemble(store, *models)
    stamp = (first / "bundle.json").stat().st_mtime_ns
    assert _assemble(store, *reversed(models)) == first
    assert (first / "bundle.json").stat().st_mtime_ns == stamp
    assert _assemble(store, *models, workers=2) != first
    assert _assemble(store, models[0]) != first


def test_a_damaged_bundle_is_made_anew(store: Store) -> None:
    folder = _assemble(store, _model(store, "m", 1, "f"))
    (folder / "app" / "azureml-models" / "m" / "1" / "f").unlink()
    assert _assemble(store, _model(store, "m", 1, "f")) == folder
    assert (folder / "app" / "azureml-models" / "m" / "1" / "f").is_file()


def test_two_at_once_get_one_folder(store: Store) -> None:
    models = [_model(store, f"m{n}", 1, *(f"f{k}" for k in range(20))) for n in range(5)]
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(_assemble(store, *models))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and len(set(found)) == 1
    assert list((store.home / "staging").glob("bundle-*")) == []


def test_a_corrupt_blob_leaves_nothing(store: Store) -> None:
    model = _model(store, "m", 1, "f")
    blob = store.home / "blobs" / "sha256" / model.files[0].digest[7:9] / model.files[0].digest[9:]
    blob.chmod(0o644)
    blob.write_bytes(b"tampered!"[: model.files[0].size])
    with pytest.raises(CorruptBlob):
        _assemble(store, model)
    assert list((store.home / "bundles").glob("*")) == []
    assert list((store.home / "staging").glob("bundle-*")) == []


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "a\\b", "a\0b"])
def test_no_path_leaves_the_bundle(store: Store, path: str) -> None:
    with pytest.raises(InvalidInput):
        check_source(SourceSpec(entry_script=path, source_directory=None, files=[_file(store, path)]))
    with pytest.raises(InvalidInput):
        _assemble(store, _model(store, "m", 1, path))


def test_sources_that_cannot_be_laid_out_are_refused(store: Store) -> None:
    def check(entry: str, *paths: str) -> None:
        files = [_file(store, path) for path in paths]
        check_source(SourceSpec(entry_script=entry, source_directory=None, files=files))

    check("score.py", "score.py")
    for entry, paths, word in [
        ("score.py", ["other.py"], "not among"),
        ("score.py", ["score.py", "score.py"], "same place"),
        ("a", ["a", "a/b"], "both a file and a folder"),
        ("score.py", ["score.py", "azureml-models/m/1/f"], "taken by the models"),
    ]:
        with pytest.raises(InvalidInput, match=word):
            check(entry, *paths)
