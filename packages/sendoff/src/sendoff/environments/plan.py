"""What an environment asks for, in the words of pip: vendor packages dropped, conda packages mapped, gaps filled.

Nothing is asked of any index here: the plan depends on the definition and the Python alone.
"""

from __future__ import annotations

import itertools
import re

from ..errors import EnvironmentFailed
from ..spec.environment import EnvironmentSpec, canonical_name
from ..spec.environment_packages import CondaPackage, parse_conda_package
from ..spec.parse import Spec
from .conda_names import pip_name
from .versions import alternatives

_MAX_ALTERNATIVES = 16

VENDOR_PREFIX = "azureml-"
_VENDOR = """
azureml azureml-automl-core azureml-automl-runtime azureml-contrib-fairness azureml-contrib-services azureml-core
azureml-dataprep azureml-dataset-runtime azureml-defaults azureml-inference-server-http azureml-interpret
azureml-mlflow azureml-model-management-sdk azureml-monitoring azureml-pipeline azureml-pipeline-core
azureml-pipeline-steps azureml-sdk azureml-telemetry azureml-train azureml-train-automl
azureml-train-automl-client azureml-train-automl-runtime azureml-train-core
"""
VENDOR_NAMES = tuple(_VENDOR.split())
"""Left out also where another package asks for them; by prefix where the environment itself does."""

_BROUGHT_SERVER = {"azureml-defaults", "azureml-sdk", "azureml-inference-server-http"}


class Addition(Spec):
    """A package that nobody listed but scripts rely on; left out again when the rest does not resolve with it."""

    requirement: str
    reason: str

    @property
    def name(self) -> str:
        """The package's name."""
        return requirement_name(self.requirement)


class ResolvePlan(Spec):
    """What pip has to install.

    ``choices`` are alternative lists (one, unless a conda condition has ``|``), the preferred one first.
    """

    python: str
    """conda's condition on python, empty for any."""
    choices: list[list[str]]
    constraints: list[str]
    options: list[str]
    additions: list[Addition]
    hashes: dict[str, list[str]]
    unmapped: list[str]
    conda: list[str]
    """The conda match specs without ``python`` and ``pip``."""
    notes: list[str]


def make_plan(spec: EnvironmentSpec) -> ResolvePlan:
    """Turn a definition into what pip has to do.

    Raises:
        InvalidInput: A line is wrong.
    """
    where = f"environment {spec.name}"
    notes: list[str] = []
    conda = [parse_conda_package(line, where=where, field="conda packages") for line in spec.python.conda_packages]
    python = ",".join(package.version for package in conda if package.name == "python" and package.version)
    others = [package for package in conda if package.name not in ("python", "pip")]
    mapped, unmapped = _map(others, notes)

    requirements: list[str] = []
    constraints: list[str] = []
    options: list[str] = []
    hashes: dict[str, list[str]] = {}
    dropped: list[str] = []
    for line in spec.python.pip_packages:
        if line.startswith("--constraint "):
            text = line.removeprefix("--constraint ")
            if not is_vendor(requirement_name(text)):
                constraints.append(_without_hashes(text))
        elif line.startswith("-"):
            options.append(line)
        elif is_vendor(name := requirement_name(line)):
            dropped.append(name)
        else:
            requirements.append(_without_hashes(line))
            if found := re.findall(r"--hash=(\S+)", line):
                hashes[name] = found
    if dropped:
        named = ", ".join(dict.fromkeys(dropped))
        notes.append(f"{named}: left out (proprietary); Sendoff's own server provides these names to the script")
    listed = {requirement_name(line) for line in (*requirements, *(line for group in mapped for line in group[:1]))}
    additions = [one for one in _additions(dropped) if one.name not in listed]
    combinations = itertools.islice(itertools.product(*mapped), _MAX_ALTERNATIVES)
    return ResolvePlan(
        python=python,
        choices=[sorted({*choice, *requirements}) for choice in combinations],
        constraints=constraints,
        options=options,
        additions=additions,
        hashes=hashes,
        unmapped=unmapped,
        conda=[_match_spec(package) for package in others],
        notes=notes,
    )


def python_additions(release: tuple[int, ...], *, conda: bool) -> list[Addition]:
    """What every environment of that Python had without being asked, conda's as well as those that venv makes.

    Args:
        release: The Python's version.
        conda: Whether the definition asks for conda packages: the reason is told in its words.
    """
    if release >= (3, 12):
        return []
    minor = ".".join(str(part) for part in release[:2])
    had = "conda's Python" if conda else f"a virtual environment of Python {minor}"
    return [Addition(requirement="setuptools<81", reason=f"{had} came with it, and older packages import it")]


def exact_conda(plan: ResolvePlan) -> list[str]:
    """Those of the conda match specs that name one release; where a build is named, that one."""
    found = []
    for text in plan.conda:
        package = parse_conda_package(text, where="conda packages")
        conditions = alternatives(package.version)
        if len(conditions) == 1 and re.fullmatch(r"==[^*,]+", conditions[0]):
            found.append(text)
    return found


def is_vendor(name: str) -> bool:
    """Whether a package is one of the vendor's proprietary ones. ``inference-schema`` is not: it is MIT."""
    return name == "azureml" or name.startswith(VENDOR_PREFIX)


def requirement_name(line: str) -> str:
    """The canonical name that a requirement line starts with."""
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
    return canonical_name(match[1]) if match else ""


def unmappable(plan: ResolvePlan, channels: list[str], tried: str, log: list[str] | None = None) -> EnvironmentFailed:
    """The error for conda packages that neither a channel nor the mapping can give."""
    named = ", ".join(plan.unmapped)
    looked = f"; channels: {', '.join(channels)}" if channels else "; no channel is named"
    return EnvironmentFailed(
        f"conda packages without a known pip name: {named}{looked}. {tried}",
        hint="Move them to the pip section if the index has them, remove them if the script does not need them, "
        "or name a channel that can be reached (a folder works too: file:///path).",
        packages=plan.unmapped,
        channels=channels,
        log=log or [],
    )


def _map(packages: list[CondaPackage], notes: list[str]) -> tuple[list[list[str]], list[str]]:
    groups: list[list[str]] = []
    unmapped: list[str] = []
    renamed: list[str] = []
    bundled: list[str] = []
    builds: list[str] = []
    for package in packages:
        name = pip_name(package.name)
        if name is None:
            unmapped.append(package.name)
            continue
        if name == "":
            bundled.append(package.name)
            continue
        if name != package.name:
            renamed.append(f"{package.name} -> {name}")
        if package.build not in ("", "*"):
            builds.append(f"{package.name}={package.build}")
        choices = [f"{name}{specifier}" for specifier in alternatives(package.version)]
        # The later side of an "|" is the newer one in every file seen; conda would take the newest that fits too.
        groups.append(choices[::-1])
    if groups:
        taken = ", ".join(requirement_name(choices[0]) for choices in groups)
        notes.append(f"conda packages installed with pip, from the package index: {taken}")
    if renamed:
        notes.append(f"conda names mapped to pip names: {', '.join(renamed)}")
    if bundled:
        notes.append(f"conda packages that wheels bring along and that are left out: {', '.join(bundled)}")
    if builds:
        notes.append(f"conda build strings without a meaning for pip: {', '.join(builds)}")
    return groups, unmapped


def _additions(dropped: list[str]) -> list[Addition]:
    brought = [name for name in dropped if name in _BROUGHT_SERVER]
    if not brought:
        return []
    reason = f"{brought[0]} brought it"
    return [Addition(requirement="inference-schema", reason=reason), Addition(requirement="numpy", reason=reason)]


def _match_spec(package: CondaPackage) -> str:
    channel = f"{package.channel}::" if package.channel else ""
    condition = package.version
    if condition and condition[0] not in "=<>!~":
        condition = f"=={condition}" if not re.search(r"[*|,<>=]", condition) else condition
    text = f"{channel}{package.name} {condition}".strip()
    return f"{text} {package.build}" if package.build else text


def _without_hashes(line: str) -> str:
    return line.split(" --hash=")[0].strip()
