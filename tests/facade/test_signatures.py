"""Names, order and defaults of every class that spec/surface.md lists, read off the classes that scripts import.

`surface.json` is generated from the page (`surface_tables.py`); where the page itself is at hand the two are compared.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import article
import pytest
import surface_tables

HERE = Path(__file__).parent
SURFACE: dict[str, Any] = json.loads((HERE / "surface.json").read_text())
FACADE = HERE.parents[1] / "packages" / "azureml" / "src"

# The collector lives in the worker (tests/serving); the type of a service's configuration is said by its class here.
ELSEWHERE = {"ModelDataCollector"}
# SDK v1's internal constructors, which scripts do not call: our objects are made by the functions that return them.
MADE_FOR_THE_SCRIPT = {
    "WebserviceDeploymentConfiguration",
    "PublishedPipeline",
    "StepRun",
    "AzureBlobDatastore",
    "ModelPackage",
}

# Where ours has another default on purpose: a new environment's Python is the one that runs, not that of 2026's SDK v1.
OTHER_DEFAULTS = {("CondaDependencies", "create", "python_version")}

MEMBERS = [(name, member) for name, about in SURFACE.items() if name not in ELSEWHERE for member in about["members"]]


@pytest.fixture(scope="module", autouse=True)
def facade():
    sys.path.insert(0, str(FACADE))
    yield
    sys.path.remove(str(FACADE))


def class_of(name: str) -> Any:
    return getattr(importlib.import_module(SURFACE[name]["module"]), name)


def test_the_generated_file_is_the_pages():
    assert surface_tables.classes(article.beside("surface.md")) == SURFACE


@pytest.mark.parametrize("name", [name for name in SURFACE if name not in ELSEWHERE])
def test_a_class_is_where_scripts_import_it_from(name):
    assert inspect.isclass(class_of(name))


@pytest.mark.parametrize("name", [name for name in SURFACE if name not in ELSEWHERE | MADE_FOR_THE_SCRIPT])
def test_a_constructor_takes_what_it_took(name):
    wanted = SURFACE[name]["constructor"]
    if wanted:
        same(wanted, inspect.signature(class_of(name)).parameters)


@pytest.mark.parametrize(("name", "member"), MEMBERS, ids=lambda value: value)
def test_a_member_takes_what_it_took(name, member):
    about = SURFACE[name]["members"][member]
    if "parameters" not in about:
        assert member in attributes(class_of(name))
        return
    found = inspect.getattr_static(class_of(name), member)
    called = getattr(class_of(name), member)
    parameters = dict(inspect.signature(called).parameters)
    if about["kind"] == "method" and not isinstance(found, staticmethod | classmethod):
        parameters.pop("self", None)
    wanted = [
        {"name": one["name"], "default_text": ""} if (name, member, one["name"]) in OTHER_DEFAULTS else one
        for one in about["parameters"]
    ]
    same(wanted, parameters)


def same(wanted: list[dict[str, Any]], found: Any) -> None:
    """What a script may write works: every name, at its place, with its default; more may follow."""
    ours = [one for one in found.values() if one.kind in (one.POSITIONAL_OR_KEYWORD, one.POSITIONAL_ONLY)]
    assert [one.name for one in ours[: len(wanted)]] == [one["name"] for one in wanted]
    for left, right in zip(wanted, ours, strict=False):
        if "default" in left:
            assert right.default == left["default"], left["name"]
        elif "default_text" in left:
            assert right.default is not inspect.Parameter.empty, left["name"]
    assert all(one.default is not inspect.Parameter.empty for one in ours[len(wanted) :])


@pytest.mark.parametrize("name", [name for name in SURFACE if name not in ELSEWHERE])
def test_an_object_has_the_attributes_it_had(name):
    assert set(SURFACE[name]["attributes"]) <= attributes(class_of(name))


def attributes(cls: Any) -> set[str]:
    """What a class's objects have: members of the class, what it announces, and what its code sets on them."""
    announced = {one for base in cls.__mro__ for one in vars(base).get("__annotations__", {})}
    return {found for one in cls.__mro__ for found in set_by(one)} | set(dir(cls)) | announced


def set_by(cls: type) -> set[str]:
    """What a class's own code sets on its objects."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError):
        return set()
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
        if node.value.id in ("self", "made")
    }
