"""What a base image has: its configuration, Pythons, C library and packages, found out by running it once."""

from __future__ import annotations

import contextlib
import json
import shlex
from pathlib import Path
from typing import Any

from .. import files
from ..containers.engine import Engine, EngineError
from ..containers.runs import run
from ..errors import EnvironmentFailed, InvalidInput, StoreError
from ..spec.parse import Spec, decode, encode, replace
from .image_layers import BIGGEST
from .image_pull import ImageSource

PYTHON_FOLDERS = ("/opt/conda/bin", "/opt/miniconda/bin", "/usr/local/bin")
"""Where Pythons are looked for beside ``PATH``."""
PYTHON_NAMES = ("python3.[0-9]", "python3.[0-9][0-9]", "python3", "python")
NOT_ITS_OWN = ("/.dockerenv", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
"""Files that an engine puts into every container."""

_PROBE = r"""
set -u
echo "glibc $(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)"
for d in $(echo "$PATH" | tr : ' ') FOLDERS; do
  for n in NAMES; do for p in "$d"/$n; do
    [ -x "$p" ] && "$p" -I -c 'import json,os,sys
print("python", json.dumps([os.path.realpath(sys.executable), "%d.%d.%d" % sys.version_info[:3]]))' 2>/dev/null
  done; done
done
for n in python python3; do w=$(command -v $n) && echo "named $n $w"; done
for d in /lib /lib64 /usr/lib /lib/*-linux-gnu /usr/lib/*-linux-gnu; do
  [ -d "$d" ] && ls "$d" 2>/dev/null | grep '\.so' | sed 's/^/library /'
done
if command -v dpkg-query >/dev/null 2>&1; then dpkg-query -W -f 'package ${Package} ${Version}\n'; fi
find / -xdev -type f EXCEPT -exec stat -c 'file %s %i %n' {} + 2>/dev/null \
  | awk '{if (!seen[$3]++) {n++; s+=$2}; print} END {printf "count %d %.0f\n", n, s}' \
  | sort -t ' ' -k2,2rn | awk '/^count/ || ++k <= 40'
grep -E '^(ID|VERSION_ID)=' /etc/os-release 2>/dev/null | sed 's/^/os /'
true
"""
_PROBE = (
    _PROBE.replace("FOLDERS", " ".join(PYTHON_FOLDERS))
    .replace("NAMES", " ".join(PYTHON_NAMES))
    .replace("EXCEPT", " ".join(f"! -path {path}" for path in NOT_ITS_OWN))
)


class BaseImage(Spec):
    """A base image and what was found in it. ``pythons`` are ``[path, version]``, each path once."""

    reference: str
    id: str
    config: dict[str, Any]
    diff_ids: list[str]
    architecture: str
    os: str
    glibc: str = ""
    pythons: list[tuple[str, str]] = []
    named: dict[str, str] = {}
    """``python`` and ``python3`` on its PATH."""
    libraries: list[str] = []
    packages: list[tuple[str, str]] = []
    system: str = ""
    digests: list[str] = []
    files: int = 0
    content: int = 0
    """How many files and bytes are in it, where it can tell; ``biggest`` are the largest."""
    biggest: list[tuple[str, int]] = []

    def python(self, minor: str) -> str | None:
        """The path of a Python of that minor version (``3.11``) in it."""
        return next((path for path, version in self.pythons if version.startswith(f"{minor}.")), None)


def inspect(source: ImageSource, reference: str, *, home: Path) -> BaseImage:
    """Find a base image in the engine, or pull it, and look what it has; the answer is kept by the image's id.

    Args:
        source: The engine, and how it gets the image.
        reference: A name, name and tag, or id.
        home: Sendoff's home, for what was found.

    Raises:
        InvalidInput: There is no such image, or no permission to pull it.
        EnvironmentFailed: It does not run.
        TargetUnavailable: The engine does not answer.
    """
    attributes = source.find(reference)
    found = known(home, attributes["Id"])
    if found is None:
        source.progress(f"looking into {reference}")
        found = _look(source.engine, reference, attributes)
        remember(home, found)
    return replace(found, reference=reference)


def known(home: Path, id_: str) -> BaseImage | None:
    """What was found of an image before, by its id."""
    try:
        return decode(_file(home, id_).read_bytes(), BaseImage, where=str(_file(home, id_)))
    except (OSError, InvalidInput):
        return None


def remember(home: Path, found: BaseImage) -> None:
    """Keep what was found of an image."""
    with contextlib.suppress(StoreError):
        files.write(_file(home, found.id), encode(found), folder=0o777)


def _file(home: Path, id_: str) -> Path:
    return home / "cache" / "base-images" / f"{id_.removeprefix('sha256:')}-4.json"


def _look(client: Engine, reference: str, attributes: dict[str, Any]) -> BaseImage:
    body = {
        "Image": attributes["Id"],
        "Entrypoint": ["/bin/sh"],
        "Cmd": ["-c", _PROBE],
        "User": "0",
        "HostConfig": {"NetworkMode": "none"},
    }
    try:
        status, said = run(client, body, stderr=False)
        why = f"exit code {status}" if status else ""
    except EngineError as error:
        why = error.words
    if why:
        raise EnvironmentFailed(
            f"the base image {reference} does not run a shell: {why}",
            hint="A base image needs /bin/sh and, best, Python 3.11 or newer.",
        )
    facts: dict[str, list[str]] = {}
    for line in said.decode("utf-8", "replace").splitlines():
        kind, _, rest = line.partition(" ")
        facts.setdefault(kind, []).append(rest.strip())
    pythons = dict(json.loads(line) for line in facts.get("python", []))
    release = dict(shlex.split(line)[0].partition("=")[::2] for line in facts.get("os", []) if line)
    count = next(iter(facts.get("count", [])), "0 0").split()
    listed = [one.split(" ", 2) for one in facts.get("file", [])]
    # A file with several names is one file; the first of them stands for it.
    once = {inode: (name, int(size)) for size, inode, name in sorted(listed, key=lambda one: one[2], reverse=True)}
    return BaseImage(
        reference=reference,
        id=attributes["Id"],
        config=attributes.get("Config") or {},
        diff_ids=(attributes.get("RootFS") or {}).get("Layers") or [],
        architecture=attributes.get("Architecture") or "amd64",
        os=attributes.get("Os") or "linux",
        glibc=next((one for one in facts.get("glibc", []) if one), ""),
        pythons=sorted(pythons.items()),
        named=dict(one.split(" ", 1) for one in facts.get("named", [])),
        libraries=sorted(set(facts.get("library", []))),
        packages=sorted(
            (name, version) for name, _, version in (one.partition(" ") for one in facts.get("package", []))
        ),
        system=" ".join(release.get(key, "") for key in ("ID", "VERSION_ID")).strip(),
        digests=attributes.get("RepoDigests") or [],
        files=int(count[0]),
        content=int(count[1]),
        biggest=sorted(once.values(), key=lambda file: (-file[1], file[0]))[:BIGGEST],
    )
