"""The user's own Docker steps (``baseDockerfile``, extra steps), done by the engine, as a base image without traces.

The way to the network (certificates, proxy, pip's index with its password) is given to the steps in a layer below them,
which is left out of the image that comes of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import tarfile
import tempfile
import uuid
from pathlib import Path
from typing import Any

from ..containers import images
from ..containers.engine import Engine, conceal
from ..containers.labels import HOME, home_id
from ..environments.indexes import Indexes, Supply
from ..errors import EnvironmentFailed, InvalidInput, SendoffError
from ..progress import silent
from ..spec.parse import encode, replace
from . import base_image
from .base_image import BaseImage
from .image_engine import Part, load, saved_layers
from .image_environment import build_variables
from .image_layers import Entries, Entry, Layer
from .image_pull import ImageSource

_AT = "opt/sendoff-build"
_CERTIFICATE_NAMES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
_FROM = re.compile(r"^(\s*FROM\s+(?:--platform=\S+\s+)?)(\S+)((?:\s+AS\s+(\S+))?\s*)$", re.IGNORECASE | re.MULTILINE)


def with_steps(source: ImageSource, dockerfile: str, steps: str, *, home: Path, supply: Supply) -> BaseImage:
    """The image of a Dockerfile and further steps; made once for the same text and base.

    Args:
        source: The engine, and how it gets base images.
        dockerfile: Starts with ``FROM``; files cannot be copied in, since there is no folder beside it.
        steps: Lines put behind it.
        home: Sendoff's home.
        supply: The way to the packages.

    Raises:
        InvalidInput: No ``FROM``, or a base image that is nowhere.
        EnvironmentFailed: A step failed; context carries the engine's last lines.
    """
    if not _FROM.search(dockerfile):
        raise InvalidInput(
            "the Dockerfile has no FROM line", hint="Start it with FROM and an image.", field="base_dockerfile"
        )
    text = dockerfile.rstrip("\n") + "\n" + steps.rstrip("\n") + "\n"
    stages = {match[4].lower() for match in _FROM.finditer(dockerfile) if match[4]}
    names = list(dict.fromkeys(m[2] for m in _FROM.finditer(text) if m[2].lower() not in {*stages, "scratch"}))
    bases = {name: base_image.inspect(source, name, home=home) for name in names}
    key = hashlib.sha256(encode([text, {name: base.id for name, base in bases.items()}])).hexdigest()[:32]
    tag = f"sendoff/base:{home_id(home)}-{key}"
    if images.find(source.engine, tag) is not None:
        return base_image.inspect(source, tag, home=home)
    supply.progress("doing the environment's Docker steps")
    from_base = _build(source.engine, text, bases, tag, home, supply)
    made = base_image.inspect(source, tag, home=home)
    return made if from_base is None else replace(made, digests=from_base.digests)


def last_base(dockerfile: str) -> str | None:
    """The image that a Dockerfile's last stage is built upon, through its other stages; None for ``scratch``."""
    stages: dict[str, str] = {}
    name = ""
    for match in _FROM.finditer(dockerfile):
        name = stages.get(match[2].lower(), match[2])
        if match[4]:
            stages[match[4].lower()] = name
    return None if name in ("", "scratch") else name


def _build(
    client: Engine, text: str, bases: dict[str, BaseImage], tag: str, home: Path, supply: Supply
) -> BaseImage | None:
    indexes = supply.indexes
    secret, variables = Part.of("way", _way(indexes), "the way to the network"), _variables(indexes)
    memory = home / "images" / "loaded.json"
    number = uuid.uuid4().hex[:12]
    temporary: dict[str, str] = {}
    for position, (name, base) in enumerate(bases.items()):
        settings = {
            **base.config,
            "Env": [*(base.config.get("Env") or []), *(f"{name}={value}" for name, value in variables.items())],
            # What comes of it is this home's, and `gc` finds it.
            "Labels": {**(base.config.get("Labels") or {}), HOME: home_id(home)},
        }
        temporary[name] = f"sendoff/building:{number}-{position}"
        load(client, base, [secret], settings, tags=[temporary[name]], memory=memory, progress=silent)
    result = f"sendoff/building:{number}"
    try:
        text = _FROM.sub(lambda match: f"{match[1]}{temporary.get(match[2], match[2])}{match[3]}", text)
        _run(client, text, result, build_variables(supply), indexes)
        image = images.find(client, result)
        if image is None:
            raise EnvironmentFailed("the Docker steps ended without an image", hint="Is the engine's disk full?")
        return _without_the_way(client, image, list(bases.values()), secret, set(variables), tag, home)
    finally:
        for name in [result, *temporary.values()]:
            with contextlib.suppress(SendoffError):
                images.remove(client, name, force=True)


def _run(client: Engine, text: str, tag: str, arguments: dict[str, str], indexes: Indexes) -> None:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        info = tarfile.TarInfo("Dockerfile")
        data = text.encode()
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    said: list[str] = []
    for event in images.build(client, context.getvalue(), tag=tag, arguments=arguments):
        said += [line for line in indexes.conceal(conceal(str(event.get("stream", "")))).splitlines() if line.strip()]
        if "error" in event:
            failed = next((line for line in reversed(said) if line.startswith("Step ")), "the Dockerfile")
            raise EnvironmentFailed(
                f"a Docker step failed: {indexes.conceal(conceal(str(event['error'])))}",
                hint=f"It was: {failed}",
                log=said[-20:],
            )


def _without_the_way(
    client: Engine, image: dict[str, Any], bases: list[BaseImage], secret: Part, given: set[str], tag: str, home: Path
) -> BaseImage | None:
    """Tag the built image's layers upon the base that its last stage had, without ours between them; that base."""
    layers: list[str] = image["RootFS"]["Layers"]
    base = next(
        (one for one in bases if layers[: len(one.diff_ids) + 1] == [*one.diff_ids, secret.layer.diff_id]), None
    )
    settings = dict(image["Config"])
    settings["Env"] = [line for line in settings.get("Env") or [] if line.partition("=")[0] not in given]
    settings.pop("Image", None)
    if base is None:  # a last stage FROM scratch: there is nothing of ours in it
        images.tag(client, image["Id"], tag)
        return None
    settings["Env"] += [
        line for line in base.config.get("Env") or [] if line.partition("=")[0] in given and line not in settings["Env"]
    ]
    with tempfile.TemporaryDirectory(prefix="sendoff-steps-") as folder:
        skip = len(base.diff_ids) + 1
        files = saved_layers(client, image["Id"], Path(folder), skip)
        parts = [
            Part(
                layer=Layer(name="steps", diff_id=diff_id, size=file.stat().st_size, path=str(file)),
                made_by="the environment's Docker steps",
            )
            for diff_id, file in zip(layers[skip:], files, strict=True)
        ]
        load(client, base, parts, settings, tags=[tag], memory=home / "images" / "loaded.json", progress=silent)
    return base


def _way(indexes: Indexes) -> Entries:
    found: Entries = {_AT: Entry()}
    if indexes.cert and Path(indexes.cert).expanduser().is_file():
        found[f"{_AT}/ca.pem"] = Entry(source=str(Path(indexes.cert).expanduser()))
    lines = ["[global]"]
    if indexes.index_url:
        lines.append(f"index-url = {indexes.index_url}")
    if indexes.extra_index_urls:
        lines.append(f"extra-index-url = {' '.join(indexes.extra_index_urls)}")
    lines += [f"trusted-host = {' '.join(indexes.trusted_hosts)}"] if indexes.trusted_hosts else []
    found[f"{_AT}/pip.conf"] = Entry(data="\n".join([*lines, ""]).encode())
    return found


def _variables(indexes: Indexes) -> dict[str, str]:
    certificates = dict.fromkeys(_CERTIFICATE_NAMES, f"/{_AT}/ca.pem") if indexes.cert else {}
    return {"PIP_CONFIG_FILE": f"/{_AT}/pip.conf", **certificates}
