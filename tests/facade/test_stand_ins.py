"""What SDK v1 had and Sendoff has not: it can be imported, and using it says what it is and what to use instead."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sendoff.errors import NotSupported
from sendoff.sdk import absent, unsupported
from sendoff.sdk.unsupported import FeatureNotSupported, refusing

FACADE = Path(__file__).parents[2] / "packages" / "azureml" / "src"
NAMES = json.loads((FACADE / "azureml" / "names.json").read_text())


@pytest.fixture(autouse=True)
def facade(monkeypatch):
    monkeypatch.syspath_prepend(str(FACADE))


@pytest.mark.parametrize("module", sorted(NAMES))
def test_every_module_of_the_facade_imports_and_gives_what_it_names(module):
    found = importlib.import_module(module)
    named = NAMES[module]
    assert found.__doc__
    assert [name for name in named if not hasattr(found, name)] == []
    assert [name for name in named if type(getattr(found, name)).__name__ == "_MissingType"] == []


def test_a_module_that_is_not_in_the_table_is_not_there():
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'azureml\.core\.nothing'"):
        importlib.import_module("azureml.core.nothing")
    with pytest.raises(ModuleNotFoundError, match=r"'azureml\.core\.model' is not a package"):
        importlib.import_module("azureml.core.model.nothing")


def test_every_module_lies_in_one_that_is_there():
    above = {name.rpartition(".")[0] for name in NAMES} - {""}
    assert above <= set(NAMES)


def test_a_star_takes_a_modules_names_and_no_more():
    taken: dict[str, object] = {}
    exec("from azureml.core.model import *", taken)
    assert set(taken) - {"__builtins__"} == set(NAMES["azureml.core.model"]) - {"__doc__"}


def stand_ins() -> dict[str, object]:
    return {name: value for name, value in vars(absent).items() if isinstance(value, unsupported._StandInType)}


@pytest.mark.parametrize("name", sorted(stand_ins()))
def test_a_stand_in_says_what_it_is_and_what_to_use(name):
    thing = stand_ins()[name]
    with pytest.raises(FeatureNotSupported) as made:
        thing()  # type: ignore[operator]
    assert name in str(made.value)
    assert made.value.hint
    with pytest.raises(FeatureNotSupported, match=r"anything"):
        _ = thing.anything  # type: ignore[attr-defined]


def test_one_class_is_caught_by_all_that_scripts_catch():
    from azureml.exceptions import AzureMLException, UserErrorException

    with pytest.raises(FeatureNotSupported) as found:
        unsupported.refuse("A thing", "Use another.")
    assert isinstance(found.value, UserErrorException)
    assert isinstance(found.value, AzureMLException)
    assert isinstance(found.value, NotSupported)
    assert isinstance(found.value, NotImplementedError)
    assert not isinstance(found.value, AttributeError)
    assert found.value.feature == "A thing"


def test_a_stand_in_can_be_tested_for_and_subclassed():
    from azureml.core.compute import AdlaCompute

    assert not isinstance(3, AdlaCompute)
    assert "azureml" in sys.modules


def test_the_table_of_names_that_migrate_check_reads_is_the_facades():
    table = Path(unsupported.__file__).parents[1] / "migrate" / "names.json"
    names = {module: {name: where for name, where in row.items() if name != "__doc__"} for module, row in NAMES.items()}
    assert json.loads(table.read_text()) == names


@refusing(
    "Thing",
    {
        "Use the other.": """
            method(self, first, second=3,
                third=None) -> Thing
            shared(cls, first)
            free(first='x')
            alone(self) -> Thing
            value
        """,
    },
)
class Thing:
    pass


def test_a_refused_member_is_of_the_kind_and_signature_it_was_and_python_checks_its_calls():
    kinds = {
        "method": "function",
        "alone": "function",
        "shared": "classmethod",
        "free": "staticmethod",
        "value": "property",
    }
    assert {name: type(inspect.getattr_static(Thing, name)).__name__ for name in kinds} == kinds
    assert str(inspect.signature(Thing.method)) == "(self, first, second=3, third=None) -> 'Thing'"  # type: ignore[attr-defined]
    thing: Any = Thing()
    with pytest.raises(TypeError, match=r"Thing\.method\(\) got an unexpected keyword argument 'secnd'"):
        thing.method(1, secnd=2)
    for use in (lambda: thing.method(1), lambda: Thing.shared(1), lambda: Thing.free(), lambda: thing.value):  # type: ignore[attr-defined]
        with pytest.raises(FeatureNotSupported, match=r"Thing\.\w+ is not supported") as found:
            use()
        assert found.value.hint == "Use the other."
    assert "Use the other." in inspect.getdoc(thing.method)


def test_a_member_that_is_there_is_not_refused_by_mistake():
    with pytest.raises(TypeError, match=r"Taken\.method is there already"):

        @refusing("Taken", {"Use the other.": "method(self)"})
        class Taken:
            def method(self):
                """Works."""


@pytest.mark.parametrize(
    ("kind", "member", "caught"),
    [
        ("azureml.core.Model", "add_dataset_references(None, [])", "WebserviceException"),
        ("azureml.core.Model", "get_sas_urls(None)", "WebserviceException"),
        ("azureml.core.webservice.LocalWebservice", "deploy_to_cloud(None)", "WebserviceException"),
        ("azureml.core.compute.AksCompute", "get_credentials(None)", "ComputeTargetException"),
    ],
)
def test_what_is_refused_is_caught_as_other_failures_of_its_class_are(kind, member, caught):
    module, _, name = kind.rpartition(".")
    place = vars(importlib.import_module(module))
    expected = getattr(importlib.import_module("azureml.exceptions"), caught)
    with pytest.raises(expected, match=f"{name}.{member.partition('(')[0]} is not supported by Sendoff") as found:
        eval(f"{name}.{member}", dict(place))
    assert isinstance(found.value, FeatureNotSupported)
    assert type(found.value).__name__ == "FeatureNotSupported"


def test_a_class_that_cannot_be_made_is_refused_by_its_own_name():
    from azureml.pipeline.core import PublishedPipeline

    with pytest.raises(FeatureNotSupported, match=r"PublishedPipeline is not supported by Sendoff"):
        PublishedPipeline(*"123456789")


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        ("azureml.data.DataType.to_stream()", "Dataset.File.from_files"),
        ("azureml.core.Environment.from_docker_build_context('e', None)", "Environment.from_dockerfile"),
        ("azureml.core.Environment('e').get_image_details(None)", "Environment.build"),
        ("azureml.core.RunConfiguration.load('folder')", "ScriptRunConfig"),
        ("azureml.core.Datastore.unregister(None)", "every workspace"),
    ],
)
def test_what_is_refused_is_caught_as_bad_use_and_says_what_to_use(use, instead):
    import azureml.core
    import azureml.data
    from azureml.exceptions import UserErrorException

    with pytest.raises(UserErrorException, match="is not supported by Sendoff") as found:
        eval(use, {"azureml": azureml})
    assert isinstance(found.value, NotSupported)
    assert instead in found.value.hint
