from pathlib import Path

import pytest

from sendoff import Model, ResourceConfiguration
from sendoff.errors import InvalidInput, ModelNotFound
from sendoff.sdk.exceptions import ModelNotFoundException, WebserviceException


@pytest.fixture
def model(ws):
    Path("m.pkl").write_text("one")
    return Model.register(ws, "m.pkl", "mymodel", {"area": "mnist"}, {"p": "1"}, "words")


def test_a_registered_file_has_everything_that_was_given(ws, model):
    found = Model(ws, "mymodel")
    assert (found.name, found.id, found.version) == ("mymodel", "mymodel:1", 1)
    assert (found.tags, found.properties, found.description) == ({"area": "mnist"}, {"p": "1"}, "words")


def test_registering_says_so_as_sdk_v1_did(ws, capsys):
    Path("m.pkl").write_text("one")
    Model.register(ws, "m.pkl", "mymodel")
    assert capsys.readouterr().out == "Registering model mymodel\n"


def test_a_model_is_found_by_name_id_version_tags_and_properties(ws, model):
    second = Model.register(ws, "m.pkl", "mymodel", tags={"area": "other"})
    assert Model(ws, "mymodel").version == 2
    assert Model(ws, name="mymodel", version=1).id == "mymodel:1"
    assert Model(ws, id="mymodel:1").version == 1
    assert Model(ws, tags=[["area", "mnist"]]).version == 1
    assert Model(ws, name="mymodel", tags=["area"]).version == 2
    assert Model(ws, properties=["p"]).version == 1
    assert [one.id for one in Model.list(ws, latest=True)] == [second.id]
    assert {name: one.version for name, one in ws.models.items()} == {"mymodel": 2}


@pytest.mark.parametrize(
    "asked", [{"name": "no"}, {"id": "mymodel:9"}, {"tags": ["no"]}, {"name": "mymodel", "version": 7}]
)
def test_an_unknown_model_is_sdk_v1s_exception(ws, model, asked):
    with pytest.raises(ModelNotFoundException):
        Model(ws, **asked)
    with pytest.raises(ModelNotFound):
        Model(ws, "nobody")


def test_a_folder_keeps_its_name_and_child_paths_choose(ws):
    Path("folder/sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        Path("folder", name).write_text(name)
    whole = Model.register(ws, "folder", "whole")
    some = Model.register(ws, "folder", "some", child_paths=["a", "sub"])
    assert whole.download("out") == str(Path("out/folder"))
    assert Path("out/folder/sub/c").read_text() == "sub/c"
    some.download("some")
    assert sorted(str(p) for p in Path("some").rglob("*") if p.is_file()) == ["some/folder/a", "some/folder/sub/c"]


def test_download_refuses_what_is_there_unless_either_spelling_allows_it(model):
    Path("m.pkl").write_text("mine")
    with pytest.raises(WebserviceException):
        model.download()
    assert Path("m.pkl").read_text() == "mine"
    assert model.download(exist_ok=True) == "m.pkl"
    assert model.download(".", exists_ok=True) == "m.pkl"
    assert Path("m.pkl").read_text() == "one"


def test_tags_and_properties_change_as_in_sdk_v1(ws, model):
    model.add_tags({"n": 1})
    model.remove_tags(["area", "absent"])
    model.add_properties({"q": "2"})
    assert (model.tags, model.properties) == ({"n": "1"}, {"p": "1", "q": "2"})
    model.update(tags={"only": "this"}, description="new", resource_configuration=ResourceConfiguration(1, 0.5))
    model.update_tags_properties(add_tags={"t": "1"}, remove_tags=["only"], add_properties={"r": "3"})
    fresh = Model(ws, id=model.id)
    assert (fresh.tags, fresh.description) == ({"t": "1"}, "new")
    assert fresh.resource_configuration.serialize() == {"cpu": 1, "memoryInGB": 0.5, "gpu": None}
    with pytest.raises(WebserviceException):
        model.add_properties({"p": "other"})


def test_serialize_and_deserialize_are_opposites(ws, model):
    payload = model.serialize()
    assert {"id", "frameworkVersion", "createdTime", "resourceConfiguration", "sampleInputDatasetId"} <= set(payload)
    assert Model.deserialize(ws, payload).id == model.id


def test_wrong_input_registers_nothing(ws):
    Path("m.pkl").write_text("x")
    for path, name in (("nowhere", "x"), ("m.pkl", "bad name"), ("m.pkl", "-x")):
        with pytest.raises(WebserviceException) as caught:
            Model.register(ws, path, name)
        assert isinstance(caught.value, InvalidInput)
    assert Model.list(ws) == []


def test_get_model_path_finds_what_a_service_has():
    for version in (2, 10):
        Path(f"azureml-models/m/{version}").mkdir(parents=True)
        Path(f"azureml-models/m/{version}/a.pkl").touch()
    assert Model.get_model_path("m") == "azureml-models/m/10/a.pkl"
    assert Model.get_model_path("m", 2) == "azureml-models/m/2/a.pkl"
    Path("plain.pkl").touch()
    assert Model.get_model_path("plain.pkl") == "plain.pkl"
    Path("azureml-models/m/2/b").touch()
    for wrong in (("m", 2), ("m", 3), ("m", "1")):
        with pytest.raises(WebserviceException):
            Model.get_model_path(*wrong)
    with pytest.raises(ModelNotFoundException):
        Model.get_model_path("nobody")


def test_a_profile_without_requests_says_what_it_needs(ws):
    with pytest.raises(WebserviceException, match="profiling needs request bodies"):
        Model.profile(ws, "x", [], None, None)
