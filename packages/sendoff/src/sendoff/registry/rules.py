"""What a registration may hold, and which versions a filter lets through (spec/behaviour.md sec. 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import Conflict, InvalidInput
from ..spec.model import SCENARIOS, RegisterModel, ResourceConfiguration, check_framework, check_manifest
from ..spec.names import check_model
from ..spec.parse import did_you_mean, replace


def checked(body: RegisterModel) -> RegisterModel:
    """A registration with its framework's name in SDK v1's spelling.

    Raises:
        InvalidInput: Names the field.
    """
    check_model(body.name)
    check_manifest(body.files)
    check_pairs(body.tags, "tag")
    check_pairs(body.properties, "property")
    check_text(body.description, "description")
    check_resources(body.resource_configuration)
    for dataset in body.datasets:
        if dataset.scenario not in SCENARIOS:
            raise InvalidInput(
                f"data set scenario {dataset.scenario!r} is not known",
                hint=did_you_mean(dataset.scenario, SCENARIOS, f"Known: {', '.join(SCENARIOS)}."),
                field="datasets",
            )
    return body if body.framework is None else replace(body, framework=check_framework(body.framework))


def check_pairs(pairs: Mapping[str, str], what: str) -> None:
    """Keys are not empty and free of what separates them in filters (``k1,k2=v``)."""
    for key, value in pairs.items():
        if not key.strip() or any(sign in key for sign in ",=") or len(key) > 256:
            raise InvalidInput(
                f"{what} name {key!r} is not allowed",
                hint="Use 1 to 256 characters without ',' and '='.",
                field="tags" if what == "tag" else "properties",
            )
        check_text(key, f"{what} name")
        check_text(value, f"{what} {key!r}")


def check_text(text: str, what: str) -> None:
    """Text that every database can hold."""
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise InvalidInput(f"{what} holds a NUL character or is not valid UTF-8", field=what)


def check_resources(resources: ResourceConfiguration | None) -> None:
    """Amounts are positive; GPUs may be 0."""
    if resources is None:
        return
    for name, value, least in (("cpu", resources.cpu, 0.0), ("memory_in_gb", resources.memory_in_gb, 0.0)):
        if value is not None and not least < value < float("inf"):
            raise InvalidInput(f"resource_configuration: {name} has to be more than 0, not {value}", field=name)
    if resources.gpu is not None and resources.gpu < 0:
        raise InvalidInput("resource_configuration: gpu has to be 0 or more", field="gpu")


def changed_tags(
    old: Mapping[str, str], new: Mapping[str, str] | None, add: Mapping[str, str], remove: Iterable[str]
) -> dict[str, str]:
    """Replace, then add, then remove; removing what is not there is no error."""
    tags = {**(old if new is None else new), **add}
    check_pairs(tags, "tag")
    for key in remove:
        tags.pop(key, None)
    return tags


def added_properties(old: Mapping[str, str], add: Mapping[str, str]) -> dict[str, str]:
    """Properties with some added.

    Raises:
        Conflict: One has another value already: properties never change.
    """
    check_pairs(add, "property")
    for key, value in add.items():
        if old.get(key, value) != value:
            raise Conflict(
                f"property {key!r} is {old[key]!r} and cannot be changed",
                hint="Properties are immutable once set; use a tag, or register a new version.",
                field="properties",
            )
    return {**old, **add}
