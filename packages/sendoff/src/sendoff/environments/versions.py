"""Conda's version conditions in the words of pip (PEP 440)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import InvalidInput

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


def alternatives(condition: str) -> list[str]:
    """A conda version condition as pip specifiers, one for each side of its ``|``.

    ``=0.20.0`` becomes ``==0.20.0``, ``=1.2`` becomes ``==1.2.*`` (conda's ``=`` means "starts with"; three parts name
    a release), ``1.2.*`` becomes ``==1.2.*``; comparisons stay. An empty condition gives one empty specifier.

    Raises:
        InvalidInput: A part has no counterpart.
    """
    return [_conjunction(part) for part in condition.split("|")] if condition.strip() else [""]


def specifiers(condition: str) -> list[SpecifierSet]:
    """The same as objects of ``packaging``."""
    from packaging.specifiers import SpecifierSet

    return [SpecifierSet(text) for text in alternatives(condition)]


def _conjunction(text: str) -> str:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    parts = [_clause(clause) for clause in text.split(",")]
    joined = ",".join(part for part in parts if part)
    try:
        SpecifierSet(joined)
    except InvalidSpecifier:
        raise InvalidInput(
            f"conda version condition {text!r} cannot be said in pip's words",
            hint="Write NAME=1.2.3, NAME>=1.2 or NAME>=1.2,<2.",
            got=text,
        ) from None
    return joined


def _clause(clause: str) -> str:
    match = re.match(r"(==|=|!=|>=|<=|>|<|~=)?(.*)\Z", clause.strip())
    assert match
    operator, version = match[1] or "", match[2].strip()
    if version in ("", "*"):
        return ""
    if version.endswith("*"):
        version = version.removesuffix("*").rstrip(".")
        if operator in (">=", "<", ">", "<=", "~="):
            return f"{operator}{version}"
        return f"{'!=' if operator == '!=' else '=='}{version}.*"
    if operator == "=":
        return f"=={version}" if version.count(".") >= 2 else f"=={version}.*"
    return f"{operator or '=='}{version}"
