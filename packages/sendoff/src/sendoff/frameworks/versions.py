"""Which Python and which other packages a framework's release runs with.

Taken from the wheels that each release has on PyPI. Within a release's range the Python is chosen that is at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from packaging.version import InvalidVersion, Version

from ..errors import InvalidInput
from ..spec.environment import canonical_name
from ..spec.parse import Spec

NEWEST = "3.14"


class Release(Spec):
    """What holds from one release on.

    ``since`` is the first release, ``low`` and ``high`` the Pythons that it has wheels for (the worker's own least is
    3.6), ``beside`` further requirement lines.
    """

    since: str
    low: str
    high: str
    beside: list[str] = []


def _releases(*rows: tuple[str, str, str] | tuple[str, str, str, list[str]]) -> list[Release]:
    return [Release(since=row[0], low=row[1], high=row[2], beside=row[3] if len(row) > 3 else []) for row in rows]


_OLD = ["numpy<1.24", "scipy<1.11"]
"""numpy 1.24 dropped the names (np.int, np.float) that releases before 1.2 still use."""

RELEASES: dict[str, list[Release]] = {
    # Newest first; what is older than the last row cannot be had for a Python that the worker runs on.
    "scikit-learn": _releases(
        ("1.8", "3.11", "3.14"),
        ("1.7", "3.10", "3.13"),
        ("1.6", "3.9", "3.13"),
        ("1.4.2", "3.9", "3.12"),
        ("1.4", "3.9", "3.12", ["numpy<2"]),
        ("1.3", "3.8", "3.11", ["numpy<2"]),
        ("1.2", "3.8", "3.11", ["numpy<2"]),
        ("1.1", "3.8", "3.10", _OLD),
        ("1.0", "3.7", "3.10", _OLD),
        ("0.24", "3.6", "3.9", _OLD),
        ("0.22", "3.6", "3.8", _OLD),
        ("0.20", "3.6", "3.7", ["numpy<1.20", "scipy<1.6"]),
        ("0.18", "3.6", "3.6", ["numpy<1.17", "scipy<1.3"]),
    ),
    "xgboost": _releases(
        ("3.1", "3.10", NEWEST),
        ("2.1.1", "3.8", "3.13"),
        ("2.0", "3.8", "3.12", ["numpy<2"]),
        ("1.7", "3.8", "3.11", ["numpy<1.24"]),
        ("1.0", "3.6", "3.9", ["numpy<1.24"]),
    ),
    "lightgbm": _releases(
        ("4.6", "3.8", NEWEST), ("4.0", "3.7", "3.12", ["numpy<2"]), ("2.2", "3.6", "3.9", ["numpy<1.24"])
    ),
    "tensorflow": _releases(
        ("2.20", "3.10", "3.13"),
        ("2.18", "3.9", "3.12"),
        ("2.16", "3.9", "3.12", ["numpy<2"]),
        ("2.14", "3.9", "3.11", ["numpy<2"]),
        ("2.12", "3.8", "3.11", ["numpy<2"]),
        ("2.8", "3.7", "3.10", ["numpy<1.24", "protobuf<3.21"]),
        ("2.7", "3.7", "3.9", ["numpy<1.24", "protobuf<3.21"]),
        ("2.4", "3.6", "3.8", ["numpy<1.20", "protobuf<3.21"]),
        ("2.2", "3.6", "3.8", ["numpy<1.20", "protobuf<3.21"]),
        ("1.13.1", "3.6", "3.7", ["numpy<1.19", "protobuf<3.21", "h5py<3"]),
    ),
    "torch": _releases(
        ("2.9", "3.10", NEWEST),
        ("2.6", "3.9", "3.13"),
        ("2.3", "3.8", "3.12"),
        ("2.0", "3.8", "3.11", ["numpy<2"]),
        ("1.10", "3.7", "3.9", ["numpy<2"]),
        ("1.4", "3.6", "3.8", ["numpy<1.24"]),
    ),
    "onnxruntime": _releases(("1.24", "3.11", "3.14")),
    "mlflow-skinny": _releases(("3.0", "3.10", "3.13"), ("2.0", "3.8", "3.12"), ("1.20", "3.7", "3.10")),
}


def release_of(framework: str, version: str | None, source: str) -> Release:
    """The row of a version; the newest row where it is not known.

    Args:
        framework: A key of ``RELEASES``.
        version: As text, None for the newest.
        source: Who says so, for the error: "the file" or "the label".

    Raises:
        InvalidInput: It is no version, or older than all that can be installed.
    """
    rows = RELEASES[framework]
    if version is None:
        return rows[0]
    try:
        wanted = Version(version)
    except InvalidVersion:
        raise InvalidInput(
            f"{source} says {framework} {version!r}, which is no version",
            hint="Give it as the framework's package calls it: model.update(model_framework=…, "
            "model_framework_version='1.7.2').",
            typed="Give it as the framework's package calls it: sendoff model update --model-framework-version 1.7.2",
            field="model_framework_version",
        ) from None
    for row in rows:
        if wanted >= Version(row.since):
            return row
    raise InvalidInput(
        f"{source} says {framework} {version}; the oldest that runs here is {rows[-1].since}, on Python {rows[-1].low}",
        hint="Train the model with a newer release, or deploy it with an entry script and an environment of your own.",
        field="model_framework_version",
    )


def package_of(line: str) -> str:
    """The package that a requirement line names, in the one spelling that compares."""
    found = re.match(r"[\w.-]*", line.split("::")[-1].strip())
    return canonical_name(found[0] if found else "")


def requirement(package: str, version: str | None) -> str:
    """The line that asks for a package's version; for the newest where it is not known."""
    return f"{package}=={version}" if version else package


def choose_python(release: Release, wanted: str | None, present: Iterable[str]) -> str:
    """The minor version of Python to run a release on.

    Args:
        release: What it has wheels for.
        wanted: The Python that the model was made or registered with, as ``3.11``; taken where it can be.
        present: Versions of the Pythons on this machine.

    Returns:
        ``X.Y``: the wanted one, else the newest on the machine, else the newest of the range, to be fetched.
    """
    fitting = [minor for minor in _minors(release) if minor in {_minor(version) for version in present}]
    if wanted is not None and (minor := _minor(wanted)) in _minors(release) and (minor in fitting or not fitting):
        return minor
    return fitting[-1] if fitting else release.high


def _minors(release: Release) -> list[str]:
    low, high = (int(text.partition(".")[2]) for text in (release.low, release.high))
    return [f"3.{minor}" for minor in range(low, high + 1)]


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
