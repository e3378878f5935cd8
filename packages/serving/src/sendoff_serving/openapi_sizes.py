"""How long the arrays of a request must be, where a numpy sample prescribes it: a part of the OpenAPI documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]


def add(service_input: Schema, description: Mapping[str, Any]) -> None:
    """Say how long the inner arrays must be.

    Args:
        service_input: the schema of the whole input, which is changed.
        description: what the worker said of the script.
    """
    for array, sizes in _arrays(service_input, description):
        if sizes:
            array["minItems"] = 1  # an empty list has one dimension
        for size in sizes:
            array = array.get("items", {})
            if array.get("type") != "array":
                break
            array["minItems"] = array["maxItems"] = size


def remove(service_input: Schema, description: Mapping[str, Any]) -> None:
    """Take away what ``add`` has said."""
    for array, _ in _arrays(service_input, description):
        while isinstance(array, dict) and array:
            array.pop("minItems", None)
            array.pop("maxItems", None)
            array = array.get("items", {})


def _arrays(service_input: Schema, description: Mapping[str, Any]) -> Iterator[tuple[Schema, list[int]]]:
    for path, sizes in (description.get("schema") or {}).get("shapes") or ():
        array: Schema = service_input
        for name in path:
            array = array.get("properties", {}).get(name, {})
        if array:
            yield array, sizes
