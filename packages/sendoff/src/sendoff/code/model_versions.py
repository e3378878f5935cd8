"""Whether an environment's pins fit the versions that the models' files state: notes, before anything is built.

What is not pinned is not known before the environment is resolved, and nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from ..environments.plan import make_plan, requirement_name
from ..errors import InvalidInput
from ..frameworks.versions import release_of
from ..packaging.check_script import python_of
from ..spec.environment import EnvironmentSpec
from ..spec.model import Model

if TYPE_CHECKING:
    from ..rooms import Rooms


@dataclass(frozen=True, kw_only=True)
class _Package:
    """How a framework's files travel: its other names, and whether newer releases read what older ones wrote."""

    names: tuple[str, ...] = ()
    newer_reads: bool = True


_PACKAGES = {
    # scikit-learn promises nothing for a pickle that another release made, in either direction; the others read
    # what their older releases wrote. Source: scikit-learn's user guide, "Model persistence".
    "scikit-learn": _Package(newer_reads=False),
    "xgboost": _Package(names=("xgboost-cpu",)),
    "lightgbm": _Package(),
    "tensorflow": _Package(names=("tensorflow-cpu", "tensorflow-gpu")),
    "torch": _Package(),
}


def stated_versions(rooms: Rooms, workspace: str, models: Iterable[str]) -> list[str]:
    """``NAME==VERSION`` of the packages that models' files say they were made with; models by their ids."""
    return [
        f"{package}=={version}"
        for model in models
        for package, version in rooms.registry.get(workspace, model).detected.items()
        if package in _PACKAGES and _version(version) is not None
    ]


def version_notes(models: Iterable[Model], spec: EnvironmentSpec) -> list[str]:
    """What a reader should know of models whose files were made by versions that the environment's pins leave out.

    Args:
        models: The deployment's models.
        spec: The environment's whole definition.

    Returns:
        One note for each model and package, with both versions and what to do.
    """
    if spec.python.user_managed_dependencies:
        return []
    stated = [
        (model, package, version)
        for model in models
        for package, version in model.detected.items()
        if package in _PACKAGES and _version(version) is not None
    ]
    if not stated:
        return []
    try:
        plan = make_plan(spec)
    except InvalidInput:
        return []  # resolving it says what is wrong
    choices = [[*choice, *plan.constraints] for choice in plan.choices]
    notes = []
    for model, package, version in stated:
        pins = [_pins(lines, package) for lines in choices]
        if pins and all(not _fits(pin, package, version) for pin in pins):
            notes.append(_note(model, package, version, f"{package}{pins[0]}", spec))
    return notes


def _pins(lines: list[str], package: str) -> SpecifierSet:
    """All conditions that the lines put on a package, under any of its names."""
    names = {package, *_PACKAGES[package].names}
    found = SpecifierSet()
    for line in lines:
        if requirement_name(line) not in names:
            continue
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None:
            found &= requirement.specifier
    return found


def _fits(pins: SpecifierSet, package: str, version: str) -> bool:
    if pins.contains(version, prereleases=True):
        return True
    made_by = _version(version)
    assert made_by is not None
    if not _PACKAGES[package].newer_reads:
        return False
    # Only what is surely older is told: every upper bound lies below what made the file.
    tops = [_version(one.version) for one in pins if one.operator in ("==", "===", "<", "<=", "~=")]
    return not any(top is not None and top.release[:2] < made_by.release[:2] for top in tops)


def _version(text: str) -> Version | None:
    try:
        return Version(text.removesuffix(".*"))
    except InvalidVersion:
        return None


def _note(model: Model, package: str, version: str, pin: str, spec: EnvironmentSpec) -> str:
    wanted = f"Give the environment {package}=={version}"
    python = python_of(spec)
    try:
        release = release_of(package, version, "the file")
    except InvalidInput:
        release = None
    if python is not None and release is not None and not _minor(release.low) <= _minor(python) <= _minor(release.high):
        wanted += f" and a Python from {release.low} to {release.high} (it has {python})"
    return (
        f"Model {model.id} was made with {package} {version}, as its file states; environment {spec.name!r} has {pin}: "
        f"the model may fail to load or answer differently. {wanted}, or train the model with what the environment has."
    )


def _minor(text: str) -> int:
    return int(text.split(".")[1])
