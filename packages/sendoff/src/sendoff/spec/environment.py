"""The environment: what has to be installed for an entry script to run (spec/behaviour.md sec. 3)."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from . import names
from .parse import Spec, encode

DEFAULT_VARIABLES = {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}


class PythonSpec(Spec):
    """The Python part: conda packages, channels and pip lines, or an interpreter that the user manages."""

    user_managed_dependencies: bool = False
    interpreter_path: str = "python"
    conda_name: str = "project_environment"
    channels: list[str] = []
    conda_packages: list[str] = []
    """conda match specs, ``python=3.6.2`` among them."""
    pip_packages: list[str] = []
    """requirement lines, pip options and inlined constraints (``--constraint NAME==1.0``), in the file's order."""
    base_conda_environment: str | None = None
    as_of: str = "auto"
    """Which day's packages are looked at: ``YYYY-MM-DD``, ``auto`` or ``never`` (:func:`check_as_of`)."""


class DockerSpec(Spec):
    """The image part; only targets that build images read it."""

    enabled: bool = False
    base_image: str | None = None
    base_dockerfile: str | None = None
    base_image_registry: dict[str, str | None] = {}
    arguments: list[str] = []
    shared_volumes: bool = True
    shm_size: str | None = "2g"
    gpu_support: bool = False
    extra_steps: str | None = None


class EnvironmentSpec(Spec):
    """An environment's whole definition. Equal definitions have equal digests, whatever their names."""

    name: str
    version: str | None = None
    python: PythonSpec = PythonSpec()
    docker: DockerSpec = DockerSpec()
    environment_variables: dict[str, str] = {}
    inferencing_stack_version: str | None = None
    spark: dict[str, Any] = {}
    databricks: dict[str, Any] = {}
    r: dict[str, Any] | None = None


VENDORS_IMAGES = "mcr.microsoft.com/azureml/"
"""Images that bring nothing that is needed here; scripts of SDK v1 name them by habit."""


def asked_image(spec: EnvironmentSpec) -> str:
    """What of an environment asks for a container, as part of a sentence; empty where nothing does."""
    docker = spec.docker
    if docker.base_dockerfile is not None:
        return "a Dockerfile of its own"
    if docker.extra_steps is not None:
        return "Docker steps of its own"
    if docker.base_image is not None and not docker.base_image.startswith(VENDORS_IMAGES):
        return f"the base image {docker.base_image}"
    return ""


class Lock(Spec):
    """Everything that an environment is built from: the full closure, with hashes. Equal locks have equal digests.

    ``python`` (a path on this machine) and ``notes`` (what was mapped, dropped or added) are not part of the digest.
    No credential is ever in it, and of the addresses only those of conda archives and of direct references.
    """

    digest: str
    python: str
    python_version: str
    platform: str
    method: str
    """``pip``, ``conda`` or ``user-managed``."""
    requirements: str = ""
    """Pinned requirement lines with hashes, sorted."""
    conda_packages: list[str] = []
    """The explicit list of a conda solution: archives with ``#sha256``."""
    conda_records: list[dict[str, Any]] = []
    """What the solver said of each, so that they can be installed without asking the channel again."""
    pip_options: list[str] = []
    """The environment's own index options, without passwords: the build needs them too. Not part of the digest."""
    notes: list[str] = []
    as_of: str | None = None
    """The day whose packages were looked at, ``YYYY-MM-DD``; None for all that there are."""
    as_of_reason: str = ""
    undated: list[str] = []
    """Packages that are free of ``as_of``: their index gives no dates, or their releases of that time cannot be read
    any more. Not part of the digest."""

    @property
    def key(self) -> str:
        """The folder's name under ``environments/``: the first 32 hex digits of the digest."""
        return self.digest.removeprefix("sha256:")[:32]

    def pins(self) -> dict[str, str]:
        """Package name (lower case, ``-``) to the version that the pip part pins."""
        found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", self.requirements, re.MULTILINE)
        return {canonical_name(name): version for name, version in found}


class Environment(Spec):
    """A registered environment version as the API shows it."""

    name: str
    version: str
    digest: str
    spec: EnvironmentSpec
    created_time: float
    lock_digest: str | None = None
    lock_as_of: str | None = None
    """The day whose packages its newest lock holds, where they are an earlier day's; given for one environment."""
    lock_as_of_reason: str = ""


_LONGEST_VARIABLE, _ALL_VARIABLES = 128 << 10, 1 << 20
"""What Linux takes: MAX_ARG_STRLEN, and well below what is left beside the caller's own variables."""
AUTO, NEVER = "auto", "never"
METHOD_PIP, METHOD_CONDA, METHOD_USER_MANAGED = "pip", "conda", "user-managed"


def canonical_name(name: str) -> str:
    """A package's name as indexes compare it: lower case, runs of ``-_.`` as one ``-``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def spec_digest(spec: EnvironmentSpec) -> str:
    """The digest of what an environment is built from: ``sha256:<hex>``.

    Name and version are not hashed (spec/behaviour.md sec. 3.3), nor are environment variables, which are no part of
    a build. Unlike in 2020 the order of packages does not matter; the order of channels and indexes does, for it is
    their priority.
    """
    python = spec.python
    if python.user_managed_dependencies:
        built_from: dict[str, Any] = {"interpreter": python.interpreter_path}
    else:
        options = [line for line in python.pip_packages if line.startswith("-") and not line.startswith("--constraint")]
        built_from = {
            "channels": python.channels,
            "conda": sorted({_squeeze(line) for line in python.conda_packages}),
            "pip": sorted({_squeeze(line) for line in python.pip_packages} - set(map(_squeeze, options))),
            "options": [_wherever(line) for line in options],
        }
        if python.as_of != AUTO:
            built_from["as_of"] = python.as_of
    docker = spec.docker
    image = [docker.base_image, docker.base_dockerfile, docker.extra_steps, docker.gpu_support]
    content = {"python": built_from, "image": image, "stack": spec.inferencing_stack_version, "spark": spec.spark}
    return "sha256:" + hashlib.sha256(encode(_sorted(content))).hexdigest()


def same_definition(one: EnvironmentSpec, other: EnvironmentSpec) -> bool:
    """Whether registering ``other`` after ``one`` keeps its version: only names, versions and package order differ."""

    def rest(spec: EnvironmentSpec) -> tuple[Any, ...]:
        return (spec.environment_variables, spec.docker, spec.spark, spec.databricks, spec.r)

    return spec_digest(one) == spec_digest(other) and rest(one) == rest(other)


def lock_digest(
    *,
    python_version: str,
    platform: str,
    method: str,
    requirements: str,
    conda_packages: list[str],
    interpreter: str,
    as_of: str | None = None,
) -> str:
    """The digest of a lock's content; ``interpreter`` is only given where the user manages it.

    ``as_of`` counts: what is built from a source archive is built with the tools of that day.
    """
    content: list[Any] = [1, python_version, platform, method, requirements, conda_packages, interpreter]
    content += [as_of] if as_of else []
    return "sha256:" + hashlib.sha256(encode(content)).hexdigest()


def check_as_of(value: Any, *, where: str, field: str = "as_of") -> str:
    """Which day's packages an environment is resolved with: a date, ``auto`` or ``never``.

    Args:
        value: The text, or the date that YAML makes of it; None is ``auto``.
        where: The file or flag, for the error.
        field: The place within it.

    Returns:
        ``YYYY-MM-DD``, ``auto`` or ``never``.

    Raises:
        InvalidInput: It is neither.
    """
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    text = AUTO if value is None else value.strip().lower() if isinstance(value, str) else ""
    if text in (AUTO, NEVER):
        return text
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise InvalidInput(
            f"{where}: {field}: a date, auto or never was expected, got {str(value)[:40]!r}",
            hint="Write the day as YYYY-MM-DD, for example 2021-03-31.",
            where=where,
            field=field,
        ) from None


def check_variables(variables: Mapping[str, str], *, where: str, field: str = "environment_variables") -> None:
    """Refuse variables that no process can be given.

    Args:
        variables: Names to values.
        where: The file or environment, for the error.
        field: The place within it.

    Raises:
        InvalidInput: A name is empty or has a ``=``, a line break or a NUL; a value has a NUL, or is longer than the
            128 KiB that Linux takes (1 MiB for all together).
    """

    def wrong(name: str, what: str) -> InvalidInput:
        shown = name if len(name) <= 40 else f"{name[:37]}..."
        return InvalidInput(
            f"{where}: {field}: the variable {shown!r} {what}",
            hint="Put long or binary content into a file beside the script, and its path into the variable.",
            where=where,
            field=field,
        )

    total = 0
    for name, value in variables.items():
        if not name or re.search(r"[=\0\r\n]", name):
            raise wrong(name, "has no name that one can have: it may not be empty, nor hold '=', line breaks or NUL")
        if "\0" in value:
            raise wrong(name, "has a NUL in its value")
        try:
            size = len(f"{name}={value}".encode()) + 1
        except UnicodeEncodeError:
            raise wrong(name, "is not valid Unicode") from None
        total += size
        if size > _LONGEST_VARIABLE or total > _ALL_VARIABLES:
            raise wrong(name, f"is too long: {size} bytes of {_LONGEST_VARIABLE} (all together: {_ALL_VARIABLES})")


def check_version(version: str) -> str:
    """An environment's own version: 1 to 255 letters, digits, ``-``, ``_``, ``.``.

    Raises:
        InvalidInput: It is anything else.
    """
    rule = "1 to 255 letters, digits, '-', '_' or '.'; or leave it out to get the next number"
    return names.check(version, r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", "environment version", rule, "version")


def _squeeze(line: str) -> str:
    text = re.sub(r"\s*([<>=!~,;|])\s*", r"\1", " ".join(line.split()))
    return _wherever(text) if "://" in text else text.lower()


def _wherever(line: str) -> str:
    """A line without the folder of an archive whose content it states: that does not count."""
    return re.sub(r"file:[^\s;#]*/(?=[^\s;#/]+#sha256=)", "file:", line)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
