"""Naming rules of the nouns (spec/behaviour.md sec. 1, spec/surface.md sec. 2.4 and 2.8)."""

from __future__ import annotations

import re
import shlex

from ..errors import InvalidInput

_RESERVED = ("azureml", "microsoft")


def check(name: str, pattern: str, what: str, rule: str, field: str = "name") -> str:
    """A name that a pattern matches from its beginning to its end.

    Raises:
        InvalidInput: It does not; the message says ``what`` it is, the hint the ``rule``.
    """
    if not isinstance(name, str) or not re.fullmatch(pattern, name):
        raise InvalidInput(f"{what} {name!r} is not allowed", hint=f"Use {rule}.", field=field, got=str(name))
    return name


def check_model(name: str) -> str:
    """A model's name: letters, digits, ``-``, ``_``, ``.``, at most 255, starting with a letter or digit."""
    rule = "1 to 255 letters, digits, '-', '_' or '.', starting with a letter or digit"
    return check(name, r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", "model name", rule)


def check_service(name: str) -> str:
    """A service's name: 3 to 32 lower-case letters, digits and dashes, starting with a letter."""
    rule = "3 to 32 lower-case letters, digits or '-', starting with a letter and ending with a letter or digit"
    return check(name, r"[a-z][a-z0-9-]{1,30}[a-z0-9]", "service name", rule)


def check_workspace(name: str) -> str:
    """A workspace's name: 2 to 260 letters, digits, ``-`` and ``_``."""
    return check(name, r"[A-Za-z0-9][A-Za-z0-9_-]{1,259}", "workspace name", "2 to 260 letters, digits, '-' or '_'")


def check_environment(name: str) -> str:
    """An environment's name; the prefixes AzureML and Microsoft are reserved (spec/behaviour.md sec. 3.1)."""
    rule = "1 to 255 letters, digits, '-', '_', '.' or, not first, blanks"
    check(name, r"(?!\.+\Z)[A-Za-z0-9._-][A-Za-z0-9 ._-]{0,254}", "environment name", rule)
    if name.lower().startswith(_RESERVED):
        raise InvalidInput(
            f"environment name {name!r} starts with a reserved prefix",
            hint="Names starting with 'AzureML' or 'Microsoft' are reserved; choose another.",
            field="name",
        )
    return name


def check_compute(name: str) -> str:
    """A compute target's name: 2 to 24 letters, digits and ``-``, starting with a letter."""
    rule = "2 to 24 letters, digits or '-', starting with a letter and ending with a letter or digit"
    return check(name, r"[A-Za-z][A-Za-z0-9-]{0,22}[A-Za-z0-9]", "compute target name", rule)


def check_experiment(name: str) -> str:
    """An experiment's name: letters, digits, ``-``, ``_`` and ``.``, at most 255, starting with a letter or digit."""
    rule = "1 to 255 letters, digits, '-', '_' or '.', starting with one of the two"
    return check(name, r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}", "experiment name", rule)


def split_model_id(text: str) -> tuple[str, int | None]:
    """``name`` or ``name:version`` into its parts.

    Raises:
        InvalidInput: The version is not a positive whole number, or the name is not a model name.
    """
    name, colon, version = text.partition(":")
    check_model(name)
    if not colon:
        return name, None
    if not version.isascii() or not version.isdigit() or int(version) < 1:
        raise InvalidInput(
            f"model id {text!r}: the version {version!r} is not a positive whole number",
            hint="Write NAME:VERSION, for example mymodel:1.",
            field="id",
        )
    return name, int(version)


def service_flags(name: str, workspace: object = None) -> str:
    """The flags that name a service in a command to be typed next; a workspace other than the default one is named."""
    where = f" -w {shlex.quote(str(workspace))}" if workspace and workspace != "default" else ""
    return f"-n {shlex.quote(name)}{where}"
