"""Conda's YAML: its content as the Python section of an environment, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .environment import AUTO, PythonSpec, check_as_of
from .environment_fields import list_of, mapping_of, strings, text_of, texts, wrong
from .environment_packages import parse_conda_package
from .environment_requirements import pip_lines


def conda_from_value(
    value: Any,
    *,
    where: str,
    base: Path | None = None,
    notes: list[str] | None = None,
    at: str = "",
    fold: bool = False,
) -> tuple[PythonSpec, dict[str, str]]:
    """The content of a conda YAML, already parsed, as a Python section and its ``variables:``.

    Args:
        value: A mapping with ``name``, ``channels``, ``dependencies``, ``variables``, ``prefix``, ``as_of``.
        where: The file, for errors.
        base: The folder of the file; None refuses ``-r`` and ``-c``.
        notes: Receives notes.
        at: The key path that leads to this mapping.
        fold: True accepts keys in any case, as the JSON form does.

    Raises:
        InvalidInput: Names ``where`` and the key path.
    """
    fields = mapping_of(
        value, ("name", "channels", "dependencies", "variables", "prefix", "as_of"), where, at, fold=fold
    )
    dot = f"{at}." if at else ""
    if fields.get("prefix") is not None and notes is not None:
        notes.append(f"{where}: '{dot}prefix' names a folder of another machine and is ignored")
    name = fields.get("name")
    if name is not None and not isinstance(name, str | int):
        raise wrong(where, f"{dot}name", "a text", name)
    channels = texts(fields.get("channels"), where, f"{dot}channels")
    conda: list[str] = []
    pip: list[str] = []

    def add_conda(item: Any, field: str) -> None:
        line = re.split(r"(?:^|\s)#", text_of(item, where, field), maxsplit=1)[0].strip()
        parse_conda_package(line, where=where, field=field)
        conda.append(line)

    for index, item in enumerate(list_of(fields.get("dependencies"), where, f"{dot}dependencies")):
        field = f"{dot}dependencies[{index}]"
        if isinstance(item, str):
            add_conda(item, field)
            continue
        if not isinstance(item, Mapping):
            raise wrong(where, field, "a package such as numpy=1.19, or 'pip:' with a list", item)
        for kind, inner in mapping_of(item, ("pip", "conda"), where, field, fold=fold).items():
            for position, entry in enumerate(list_of(inner, where, f"{field}.{kind}")):
                place = f"{field}.{kind}[{position}]"
                if kind == "conda":
                    add_conda(entry, place)
                else:
                    pip += pip_lines(text_of(entry, where, place), where, place, base, ())
    spec = PythonSpec(
        conda_name=str(name) if name else PythonSpec().conda_name,
        channels=channels,
        conda_packages=conda,
        pip_packages=pip,
        as_of=check_as_of(fields.get("as_of"), where=where, field=f"{dot}as_of"),
    )
    return spec, strings(fields.get("variables"), where, f"{dot}variables")


def conda_document(python: PythonSpec) -> dict[str, Any]:
    """The Python section as a conda YAML's content; :func:`conda_from_value` reads it back."""
    dependencies: list[Any] = list(python.conda_packages)
    if python.pip_packages:
        dependencies.append({"pip": list(python.pip_packages)})
    document: dict[str, Any] = {"name": python.conda_name, "dependencies": dependencies}
    if python.channels:
        document["channels"] = list(python.channels)
    if python.as_of != AUTO:
        document["as_of"] = python.as_of
    return document


def conda_text(python: PythonSpec) -> str:
    """The Python section as the text of a conda YAML file."""
    import yaml  # heavy for the many calls that never write YAML

    text = yaml.safe_dump(
        conda_document(python), sort_keys=False, allow_unicode=True, default_flow_style=False, width=1000
    )
    return str(text)
