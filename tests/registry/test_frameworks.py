"""What a model is, where its files leave no doubt; and how another is said later."""

from __future__ import annotations

import json
import pickle
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendoff.errors import InvalidInput
from sendoff.registry import Registry
from sendoff.spec.model import ManifestFile, Model, RegisterModel, UpdateModel
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import Store, open_store


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with open_store(tmp_path / "home", environ={}) as store:
        Registry(store).create_workspace(CreateWorkspace(name="ws"))
        yield Registry(store)


def pickled(monkeypatch, module: str, *, protocol: int, within: bool = False) -> bytes:
    """An estimator's pickle as its library writes it; ``within`` a dict of the user's own."""
    made = types.ModuleType(module)

    class Ridge:
        def __getstate__(self) -> dict[str, object]:
            return {"coef": 1.5, "_sklearn_version": "1.7.2"}

    Ridge.__module__, Ridge.__qualname__ = module, "Ridge"
    made.Ridge = Ridge  # type: ignore[attr-defined]
    for name in (module.partition(".")[0], module):
        monkeypatch.setitem(__import__("sys").modules, name, made)
    return pickle.dumps({"model": Ridge()} if within else Ridge(), protocol=protocol)


def registered(registry: Registry, files: dict[str, bytes], **more: object) -> Model:
    store: Store = registry._store
    manifest = []
    for path, content in files.items():
        digest, size = store.blobs.put_bytes(content)
        manifest.append(ManifestFile(path=path, digest=digest, size=size))
    return registry.register("ws", RegisterModel(name="m", files=manifest, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
def test_an_estimators_pickle_is_scikit_learns(registry: Registry, monkeypatch, protocol: int) -> None:
    content = pickled(monkeypatch, "sklearn.linear_model", protocol=protocol)
    found = registered(registry, {"m.pkl": content})
    assert (found.framework, found.framework_version) == ("ScikitLearn", "1.7.2")
    assert (
        registered(registry, {"m.pkl": content}, framework="custom").framework == "Custom"
    )  # who says so, is believed
    assert registered(registry, {"m.pkl": content, "n.pkl": content}).framework == "Custom"


@pytest.mark.parametrize(
    ("module", "within"), [("sklearn.linear_model", True), ("sklearn.utils", False), ("ours", False)]
)
def test_what_only_holds_an_estimator_is_not(registry: Registry, monkeypatch, module: str, within: bool) -> None:
    content = pickled(monkeypatch, module, protocol=4, within=within)
    assert registered(registry, {"m.pkl": content}).framework == "Custom"


@pytest.mark.parametrize(
    ("files", "framework"),
    [
        ({"m.json": b'{"learner": {}, "version":[2,1,4]}'}, "XGBoost"),
        ({"settings.json": b'{"version":[2,1,4]}'}, "Custom"),
        ({"m.txt": b"tree\nversion=v4\nnum_class=1\nmax_feature_idx=3\n"}, "LightGBM"),
        ({"m.txt": b"tree\noak\n"}, "Custom"),
        ({"m.onnx": b"\x08\x07\x3a\x01g\x42\x02\x10\x0f"}, "Onnx"),
        ({"m.onnx": b"text"}, "Custom"),
        ({"f/MLmodel": b"flavors: {python_function: {}}\nmlflow_version: 3.1.0\n", "f/m.pkl": b"x"}, "MLflow"),
        ({"MLmodel": b"nothing"}, "Custom"),
    ],
)
def test_other_files_say_what_they_are(registry: Registry, files: dict[str, bytes], framework: str) -> None:
    assert registered(registry, files).framework == framework


def test_a_framework_is_changed_and_its_version_is_the_files(registry: Registry, monkeypatch) -> None:
    content = pickled(monkeypatch, "sklearn.linear_model", protocol=4)
    found = registered(registry, {"m.pkl": content}, framework="Onnx", framework_version="1")
    changed = registry.update("ws", found.id, UpdateModel(framework="scikitlearn"))
    assert (changed.framework, changed.framework_version) == ("ScikitLearn", "1.7.2")
    changed = registry.update("ws", found.id, UpdateModel(framework="Custom", framework_version="3"))
    assert (changed.framework, changed.framework_version) == ("Custom", "3")
    assert registry.update("ws", found.id, UpdateModel(description="x")).framework == "Custom"
    assert [one.id for one in registry.list("ws", framework="Custom")] == [found.id]
    assert list(registry.list("ws", framework="Onnx")) == []
    with pytest.raises(InvalidInput, match="framework"):
        registry.update("ws", found.id, UpdateModel(framework="Sklearn"))
    json.dumps(changed.detected)
