"""What a base image has: its configuration, Pythons, C library and packages, found out by running it once."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..containers.engine import explained, sdk
from ..errors import EnvironmentFailed, InvalidInput
from ..spec.parse import Spec, decode, encode
from .registry_client import Credentials, credentials_for, split_reference

if TYPE_CHECKING:
    from docker import DockerClient  # type: ignore[attr-defined,unused-ignore]

_PROBE = r"""
set -u
echo "glibc $(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)"
for d in $(echo "$PATH" | tr : ' ') /opt/conda/bin /opt/miniconda/bin /usr/local/bin; do
  for p in "$d"/python3.[0-9] "$d"/python3.[0-9][0-9] "$d"/python3 "$d"/python; do
    [ -x "$p" ] && "$p" -I -c 'import json,os,sys
print("python", json.dumps([os.path.realpath(sys.executable), "%d.%d.%d" % sys.version_info[:3]]))' 2>/dev/null
  done
done
for n in python python3; do w=$(command -v $n) && echo "named $n $w"; done
for d in /lib /lib64 /usr/lib /lib/*-linux-gnu /usr/lib/*-linux-gnu; do
  [ -d "$d" ] && ls "$d" 2>/dev/null | grep '\.so' | sed 's/^/library /'
done
if command -v dpkg-query >/dev/null 2>&1; then dpkg-query -W -f 'package ${Package} ${Version}\n'; fi
grep -E '^(ID|VERSION_ID)=' /etc/os-release 2>/dev/null | sed 's/^/os /'
true
"""


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

    def python(self, minor: str) -> str | None:
        """The path of a Python of that minor version (``3.11``) in it."""
        return next((path for path, version in self.pythons if version.startswith(f"{minor}.")), None)


def inspect(
    client: DockerClient,
    reference: str,
    *,
    home: Path,
    environ: Mapping[str, str],
    progress: Callable[[str], None],
    credentials: tuple[str, str] | None = None,
) -> BaseImage:
    """Find a base image in the engine, or pull it, and look what it has; the answer is kept by the image's id.

    Args:
        client: The engine.
        reference: A name, name and tag, or id.
        home: Sendoff's home, for what was found.
        environ: As ``os.environ``, for credentials.
        credentials: User and password of the image's registry; else as the ``docker`` command has them.
        progress: Receives plain lines.

    Raises:
        InvalidInput: There is no such image, or no permission to pull it.
        EnvironmentFailed: It does not run.
        TargetUnavailable: The engine does not answer.
    """
    image = find(client, reference, environ, credentials, progress)
    attributes: dict[str, Any] = image.attrs
    kept = home / "cache" / "base-images" / f"{attributes['Id'].removeprefix('sha256:')}.json"
    try:
        found = decode(kept.read_bytes(), BaseImage, where=str(kept))
    except (OSError, InvalidInput):
        progress(f"looking into {reference}")
        found = _look(client, reference, attributes)
        with contextlib.suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(encode(found))
    return found


def known(
    client: DockerClient, reference: str, *, home: Path, environ: Mapping[str, str], progress: Callable[[str], None]
) -> BaseImage | None:
    """As :func:`inspect`, but None where the engine does not have it: nothing is pulled."""
    docker = sdk()
    with explained(environ):
        try:
            client.images.get(reference)
        except docker.errors.ImageNotFound:
            return None
    return inspect(client, reference, home=home, environ=environ, progress=progress)


def find(
    client: DockerClient,
    reference: str,
    environ: Mapping[str, str],
    credentials: tuple[str, str] | None,
    progress: Callable[[str], None],
) -> Any:
    """The image in the engine, pulled when it is not there.

    Raises:
        InvalidInput: It is nowhere.
    """
    docker = sdk()
    with explained(environ):
        try:
            return client.images.get(reference)
        except docker.errors.ImageNotFound:
            progress(f"pulling {reference}")
        found = credentials_for(split_reference(reference)[0], environ)
        if credentials is not None:
            found = Credentials(username=credentials[0], password=credentials[1])
        try:
            client.images.pull(
                reference,
                tag=None if re.search(r"[:@][^/]+$", reference) else "latest",
                auth_config=None if found is None else {"username": found.username, "password": found.password},
            )
            return client.images.get(reference)
        except docker.errors.APIError as error:
            raise InvalidInput(
                f"the base image {reference} is not in the engine and cannot be pulled: {error.explanation}",
                hint="Check its name; for a private registry run `docker login`. "
                "The setting base_image names the one for environments that name none.",
                field="base_image",
            ) from None


def _look(client: DockerClient, reference: str, attributes: dict[str, Any]) -> BaseImage:
    docker = sdk()
    with explained():
        try:
            said = client.containers.run(
                attributes["Id"],
                command=["-c", _PROBE],
                entrypoint="/bin/sh",
                user="0",
                network_mode="none",
                remove=True,
                stderr=False,
            )
        except (docker.errors.ContainerError, docker.errors.APIError) as error:
            raise EnvironmentFailed(
                f"the base image {reference} does not run a shell: {error}",
                hint="A base image needs /bin/sh and, best, Python 3.11 or newer.",
            ) from None
    facts: dict[str, list[str]] = {}
    for line in said.decode("utf-8", "replace").splitlines():
        kind, _, rest = line.partition(" ")
        facts.setdefault(kind, []).append(rest.strip())
    pythons = dict(json.loads(line) for line in facts.get("python", []))
    release = dict(shlex.split(line)[0].partition("=")[::2] for line in facts.get("os", []) if line)
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
    )
