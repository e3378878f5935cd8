"""What is in an image of the engine, and bringing one there from its registry."""

from __future__ import annotations

import heapq
import json
import os
import tarfile
import tempfile
from pathlib import Path

from ..containers import images
from ..containers.engine import EngineError, connect
from ..errors import Conflict, InvalidInput, NotFound
from ..spec.package import ImageContent, ImageReport, Package
from .image import SBOM
from .image_engine import saved_layers
from .registry_client import credentials_for, split_reference

BIGGEST = 10


def inspect(reference: str) -> ImageReport:
    """Look into an image.

    Args:
        reference: Its name or id, in the engine.

    Raises:
        InvalidInput: No name was given.
        NotFound: The engine has no such image.
        TargetUnavailable: No engine answers.
    """
    if not reference:
        raise InvalidInput("which image? Its name or id is missing", field="image")
    client = connect(os.environ)
    attributes = images.find(client, reference)
    if attributes is None:
        raise NotFound(f"the engine has no image {reference!r}", hint="List them with: docker images", image=reference)
    made = reversed(images.history(client, attributes["Id"]))
    history = [one["CreatedBy"] for one in made if one["Size"] or one["CreatedBy"]]
    config = attributes["Config"]
    ids = attributes["RootFS"].get("Layers") or []
    names = history[-len(ids) :] if len(history) >= len(ids) else [""] * len(ids)
    found: list[ImageContent] = []
    layers = []
    packages: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="sendoff-inspect-") as folder:
        for diff_id, name, path in zip(ids, names, saved_layers(client, attributes["Id"], Path(folder)), strict=True):
            total = count = 0
            with tarfile.open(path) as archive:
                for member in archive:
                    if not member.isfile():
                        continue
                    total, count = total + member.size, count + 1
                    found.append(ImageContent(path=f"/{member.name.lstrip('./')}", size=member.size, layer=name))
                    if member.name.lstrip("./") == SBOM:
                        packages = _packages(archive, member)
            layers.append({"diff_id": diff_id, "made_by": name, "size": total, "files": count})
            path.unlink()
    return ImageReport(
        reference=reference,
        id=attributes["Id"],
        created=attributes.get("Created") or "",
        size=attributes["Size"],
        user=config.get("User") or "root",
        entrypoint=config.get("Entrypoint") or config.get("Cmd") or [],
        labels=config.get("Labels") or {},
        layers=layers,
        packages=packages,
        biggest=heapq.nlargest(BIGGEST, found, key=lambda one: one.size),
    )


def pull(package: Package) -> None:
    """Bring a package's image from its registry into the engine; one that was never pushed is there already.

    Raises:
        Conflict: It is a folder, or not made yet.
        NotFound: Neither the engine nor a registry has it (any more).
        TargetUnavailable: No engine answers.
    """
    result = package.result
    if package.generate_dockerfile:
        raise Conflict("this package is a folder to build from: there is no image to pull", hint="Use save().")
    if result is None:
        raise Conflict(f"package {package.id} is not made: it is {package.state}", hint="Wait for its creation.")
    client = connect(os.environ)
    if result.registry:
        found = credentials_for(split_reference(result.location)[0], os.environ)
        try:
            images.pull(client, result.location, None if found is None else (found.username, found.password))
        except EngineError as error:
            raise NotFound(
                f"{result.location} cannot be pulled: {error.words}",
                hint="For a private registry run `docker login`.",
                image=result.location,
            ) from None
    elif images.find(client, result.location) is None:
        raise NotFound(
            f"the image {result.location} is not in the engine any more",
            hint="Package it again; or name a registry in the setting image_registry to keep images.",
        )


def _packages(archive: tarfile.TarFile, member: tarfile.TarInfo) -> list[dict[str, str]]:
    file = archive.extractfile(member)
    components = json.load(file)["components"] if file is not None else []
    return [
        {"name": one["name"], "version": str(one.get("version", "")), "part": one["bom-ref"].partition(":")[0]}
        for one in components
        if one["bom-ref"].startswith(("environment:", "front:", "conda:"))
    ]
