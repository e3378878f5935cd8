"""The registry: names, versions, filters, what never changes and what is refused."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendoff.errors import (
    AlreadyExists,
    Conflict,
    CorruptBlob,
    InUse,
    InvalidInput,
    ModelNotFound,
    WorkspaceNotFound,
)
from sendoff.registry import Registry
from sendoff.registry.collect import collect
from sendoff.spec.model import DatasetReference, ManifestFile, Model, RegisterModel, ResourceConfiguration, UpdateModel
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "home", environ={}) as store:
        Registry(store).create_workspace(CreateWorkspace(name="ws"))
        yield store


@pytest.fixture
def registry(store: Store) -> Registry:
    return Registry(store)


def body(store: Store, name: str = "m", data: bytes = b"weights", **more: object) -> RegisterModel:
    digest, size = store.blobs.put_bytes(data)
    return RegisterModel(name=name, files=[ManifestFile(path="model.bin", digest=digest, size=size)], **more)  # type: ignore[arg-type]


def test_workspaces_are_made_once_found_and_deleted_when_empty(store: Store, registry: Registry) -> None:
    made = registry.create_workspace(CreateWorkspace(name="other", location="north", tags={"a": "b"}))
    assert registry.workspace("other") == made
    assert (made.location, made.tags) == ("north", {"a": "b"})
    assert [workspace.name for workspace in registry.workspaces()] == ["other", "ws"]
    with pytest.raises(AlreadyExists):
        registry.create_workspace(CreateWorkspace(name="other"))
    assert registry.create_workspace(CreateWorkspace(name="other", location="x", exist_ok=True)) == made
    with pytest.raises(WorkspaceNotFound) as caught:
        registry.workspace("othr")
    assert caught.value.hint == "Did you mean 'other'?"
    registry.register("other", body(store))
    with pytest.raises(InUse, match="1 models"):
        registry.delete_workspace("other")
    registry.delete("other", "m:1")
    registry.delete_workspace("other")
    with pytest.raises(WorkspaceNotFound):
        registry.delete_workspace("other")
    with pytest.raises(InvalidInput):
        registry.create_workspace(CreateWorkspace(name="!"))


def test_each_registration_makes_the_next_version(store: Store, registry: Registry) -> None:
    registered = [registry.register("ws", body(store)) for _ in range(11)]
    assert [model.id for model in registered] == [f"m:{number}" for number in range(1, 12)]
    assert registry.get("ws", "m").version == 11  # by number: 11 is newer than 9
    assert registry.get("ws", "m:2") == registered[1]
    assert registry.register("ws", body(store, "another")).version == 1


def test_everything_that_was_registered_comes_back(store: Store, registry: Registry) -> None:
    full = body(
        store,
        tags={"area": "diabetes, type 2=x"},
        properties={"p": "ü"},
        description="zwei\nZeilen",
        framework="scikitlearn",
        framework_version="0.20.0",
        resource_configuration=ResourceConfiguration(cpu=0.5, memory_in_gb=1.0, gpu=0),
        datasets=[DatasetReference(scenario="training", id="d1")],
        sample_input_dataset_id="i",
        sample_output_dataset_id="o",
        experiment_name="e",
        run_id="r",
        created_by="me",
    )
    model = registry.register("ws", full)
    assert model == registry.get("ws", "m:1")
    assert model.framework == "ScikitLearn"
    for field in full.__struct_fields__:  # type: ignore[attr-defined]
        if field not in ("framework", "python_version"):  # the one in another spelling, the other among "detected"
            assert getattr(model, field) == getattr(full, field)
    assert model.size == 7
    assert abs(model.created_time - time.time()) < 60


def register_once(home: str, moment: float) -> None:
    """Run in another process."""
    with open_store(home) as store:
        time.sleep(max(0.0, moment - time.time()))
        for _ in range(5):
            Registry(store).register("ws", body(store))


def test_processes_that_register_one_name_at_once_get_their_own_versions(store: Store, registry: Registry) -> None:
    context = multiprocessing.get_context("spawn")
    moment = time.time() + 2
    processes = [context.Process(target=register_once, args=(str(store.home), moment)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert sorted(model.version for model in registry.list("ws")) == list(range(1, 16))


def test_a_deleted_version_is_gone_and_its_number_never_comes_back(store: Store, registry: Registry) -> None:
    for _ in range(3):
        registry.register("ws", body(store))
    registry.delete("ws", "m:3")
    assert registry.get("ws", "m").version == 2
    with pytest.raises(ModelNotFound) as caught:
        registry.get("ws", "m:3")
    assert "2, 1" in caught.value.hint
    assert registry.register("ws", body(store)).version == 4


def test_a_version_in_use_is_not_deleted(store: Store, registry: Registry) -> None:
    registry.register("ws", body(store))
    with pytest.raises(InUse, match="used by a-service, b-service") as caught:
        registry.delete("ws", "m:1", ["b-service", "a-service"])
    assert caught.value.context["used_by"] == ["a-service", "b-service"]
    asked: list[Model] = []

    def used_by(model: Model) -> list[str]:
        asked.append(model)
        return ["c-service"]

    with pytest.raises(InUse):
        registry.delete("ws", "m:1", used_by)
    assert asked == [registry.get("ws", "m:1")]
    with pytest.raises(InvalidInput, match="names no version"):
        registry.delete("ws", "m")


def test_filters_let_through_what_matches_all_of_them(store: Store, registry: Registry) -> None:
    registry.register("ws", body(store, "a", tags={"stage": "dev", "area": "x"}, run_id="r1"))
    registry.register("ws", body(store, "a", tags={"stage": "prod"}, properties={"p": "1"}))
    registry.register("ws", body(store, "a", tags={"stage": "dev"}, framework="Onnx"))
    registry.register("ws", body(store, "b", tags={"area": "x"}, properties={"p": "2"}))

    def ids(**filters: object) -> list[str]:
        return [model.id for model in registry.list("ws", **filters)]  # type: ignore[arg-type]

    assert ids() == ["b:1", "a:3", "a:2", "a:1"]
    assert ids(name="a") == ["a:3", "a:2", "a:1"]
    assert ids(tags=[("stage", None)]) == ["a:3", "a:2", "a:1"]
    assert ids(tags=[("stage", "dev"), ("area", None)]) == ["a:1"]
    assert ids(tags=[("stage", "")]) == []
    assert ids(properties=[("p", None)]) == ["b:1", "a:2"]
    assert ids(properties=[("p", "2")], tags=[("area", "x")]) == ["b:1"]
    assert ids(run_id="r1") == ["a:1"]
    assert ids(framework="onnx") == ["a:3"]
    assert ids(latest=True) == ["b:1", "a:3"]
    assert ids(latest=True, tags=[("stage", "prod")]) == ["a:2"]
    assert ids(name="none") == []
    with pytest.raises(InvalidInput, match="'SciKit'") as caught:
        ids(framework="SciKit")
    assert "ScikitLearn" in caught.value.hint
    with pytest.raises(WorkspaceNotFound):
        registry.list("none")


def test_tags_change_and_properties_are_only_added(store: Store, registry: Registry) -> None:
    model = registry.register("ws", body(store, tags={"a": "1", "b": "2"}, properties={"p": "1"}))

    def update(**changes: object) -> Model:
        return registry.update("ws", model.id, UpdateModel(**changes))  # type: ignore[arg-type]

    assert update(add_tags={"b": "3", "c": "4"}, remove_tags=["a", "none"]).tags == {"b": "3", "c": "4"}
    assert update(tags={"only": "this"}).tags == {"only": "this"}
    assert update(add_properties={"q": "2", "p": "1"}).properties == {"p": "1", "q": "2"}
    with pytest.raises(Conflict, match="cannot be changed"):
        update(add_properties={"p": "other"}, tags={"lost": "?"})
    after = update(description="new", sample_input_dataset_id="i", resource_configuration=ResourceConfiguration(cpu=2))
    assert (after.tags, after.description, after.sample_input_dataset_id) == ({"only": "this"}, "new", "i")
    assert after.resource_configuration == ResourceConfiguration(cpu=2)
    assert after.files == model.files
    assert after.modified_time > after.created_time == model.created_time
    with pytest.raises(InvalidInput):
        update(add_tags={"": "x"})
    with pytest.raises(ModelNotFound):
        registry.update("ws", "m:9", UpdateModel())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "-m"}, "model name"),
        ({"name": "a/b"}, "model name"),
        ({"files": []}, "at least one file"),
        ({"tags": {"a=b": "c"}}, "tag name"),
        ({"tags": {"a": "\0"}}, "NUL"),
        ({"properties": {" ": "c"}}, "property name"),
        ({"framework": "SciKitLern"}, "framework"),
        ({"resource_configuration": ResourceConfiguration(cpu=0)}, "cpu"),
        ({"resource_configuration": ResourceConfiguration(memory_in_gb=float("nan"))}, "memory_in_gb"),
        ({"resource_configuration": ResourceConfiguration(gpu=-1)}, "gpu"),
        ({"datasets": [DatasetReference(scenario="trainig", id="x")]}, "scenario"),
        ({"description": "\0"}, "NUL"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(
    store: Store, registry: Registry, changes: dict[str, object], said: str
) -> None:
    from sendoff.spec.parse import replace

    with pytest.raises(InvalidInput, match=said):
        registry.register("ws", replace(body(store), **changes))
    assert registry.list("ws") == []
    assert registry.register("ws", body(store)).version == 1


def test_a_manifest_of_blobs_that_are_not_here_is_refused_and_lists_them(store: Store, registry: Registry) -> None:
    gone = "sha256:" + "a" * 64
    with pytest.raises(Conflict) as caught:
        registry.register("ws", RegisterModel(name="m", files=[ManifestFile(path="x", digest=gone, size=1)]))
    assert caught.value.context["missing"] == [gone]
    digest, _ = store.blobs.put_bytes(b"four")
    with pytest.raises(Conflict, match="5 bytes in the manifest, and its blob 4"):
        registry.register("ws", RegisterModel(name="m", files=[ManifestFile(path="x", digest=digest, size=5)]))
    assert registry.list("ws") == []


def test_a_version_is_laid_out_as_it_was_registered(store: Store, registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "my_model"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "empty").write_text("")
    model = registry.register("ws", RegisterModel(name="m", files=collect(folder, store.blobs)))
    out = registry.materialise(model, tmp_path / "out")
    assert {str(path.relative_to(out)): path.read_text() for path in out.rglob("*") if path.is_file()} == {
        "my_model/a.txt": "a",
        "my_model/sub/empty": "",
    }
    with pytest.raises(AlreadyExists):
        registry.materialise(model, tmp_path / "out")


def test_a_damaged_blob_is_named_and_nothing_is_laid_out(store: Store, registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    for name in ("a", "b"):
        (tmp_path / "f" / name).write_text(name)
    model = registry.register("ws", RegisterModel(name="m", files=collect(tmp_path / "f", store.blobs)))
    digest = model.files[1].digest
    path = store.home / "blobs" / "sha256" / digest[7:9] / digest[9:]
    path.chmod(0o600)
    path.write_text("?")
    with pytest.raises(CorruptBlob, match=digest):
        registry.materialise(model, tmp_path / "out")
    assert [found for found in (tmp_path / "out").rglob("*") if found.is_file()] == []


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("false",)


def test_a_dangerous_pickle_is_shown_by_default_and_refused_by_policy(tmp_path: Path) -> None:
    data = pickle.dumps(Evil())
    with open_store(tmp_path / "home", environ={}) as store:
        registry = Registry(store)
        registry.create_workspace(CreateWorkspace(name="ws"))
        model = registry.register("ws", body(store, data=data))
        assert model.scan.verdict == "dangerous"
        assert [finding.imported for finding in model.scan.findings] == [f"{os.name}.system"]
    with open_store(tmp_path / "home", environ={"SENDOFF_PICKLE_POLICY": "deny"}) as store:
        with pytest.raises(InvalidInput, match=r"posix\.system") as caught:
            Registry(store).register("ws", body(store, data=data))
        assert "pickle_policy" in caught.value.hint
        assert Registry(store).register("ws", body(store, data=b"no pickle")).version == 2
