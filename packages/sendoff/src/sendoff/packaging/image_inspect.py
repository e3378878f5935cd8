"""What is in an image of the engine, and bringing one there from its registry."""

from __future__ import annotations

import contextlib
import heapq
import io
import json
import os
import posixpath
import tarfile
from dataclasses import dataclass, field
from typing import Any

from ..connections import Way
from ..containers import images
from ..containers.engine import Engine, EngineError, connect
from ..containers.registries import Logins
from ..errors import Conflict, InvalidInput, NotFound
from ..progress import silent
from ..spec.package import ImageContent, ImageReport, Package
from .image import SBOM
from .image_contents import CONTENTS, told
from .image_layers import BIGGEST
from .image_pull import ImageSource


def inspect(reference: str) -> ImageReport:
    """Look into an image. Ours tell by a label and one small file; of others everything is read.

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
    config = attributes["Config"]
    labels = config.get("Labels") or {}
    ids = attributes["RootFS"].get("Layers") or []
    steps = list(reversed(images.history(client, attributes["Id"])))
    names = _names(steps, len(ids))
    known = told(labels.get(CONTENTS, ""), names)
    if known is not None:
        counts, biggest = known
        packages = _packages(_file(client, attributes["Id"], SBOM))
    else:
        counts, biggest, packages = _walked(client, attributes["Id"], names)
    return ImageReport(
        reference=reference,
        id=attributes["Id"],
        created=attributes.get("Created") or "",
        size=attributes["Size"],
        user=config.get("User") or "root",
        entrypoint=config.get("Entrypoint") or config.get("Cmd") or [],
        labels={name: value for name, value in labels.items() if name != CONTENTS},
        layers=[
            {"diff_id": id_, "made_by": name, "size": size, "files": files}
            for id_, name, (files, size) in zip(ids, names, counts, strict=True)
        ],
        packages=packages,
        biggest=biggest,
    )


def _names(steps: list[dict[str, Any]], count: int) -> list[str]:
    """What made each layer, from below; empty where the history does not tell which step made one."""
    names = [str(one["CreatedBy"]) for one in steps]
    if len(names) > count:
        names = [str(one["CreatedBy"]) for one in steps if one["Size"]]
    return names if len(names) == count else [""] * count


def _file(client: Engine, image: str, path: str) -> bytes:
    """One file of an image, read from a container that is never started; empty when there is none such."""
    id_ = client.call("POST", "/containers/create", body={"Image": image, "Cmd": ["none"]}, seconds=60.0)["Id"]
    try:
        data = client.call("GET", f"/containers/{id_}/archive", query={"path": f"/{path}"}, seconds=60.0)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            file = archive.extractfile(archive.next() or tarfile.TarInfo())
            return file.read() if file is not None else b""
    except (EngineError, tarfile.TarError):
        return b""
    finally:
        client.call("DELETE", f"/containers/{id_}", query={"force": "1", "v": "1"}, seconds=60.0)


def _walked(
    client: Engine, image: str, names: list[str]
) -> tuple[list[tuple[int | None, int | None]], list[ImageContent], list[dict[str, str]]]:
    """The same of an image that others made: all of it is read, as it comes from the engine."""
    seen: dict[str, Walked] = {}
    order: list[str] = []
    with client.answer("GET", f"/images/{image}/get") as answer, tarfile.open(fileobj=answer, mode="r|") as outer:
        for member in outer:
            if member.issym() or member.islnk():  # the same layer twice is stored once
                target = member.linkname
                seen[member.name] = Walked(
                    same=posixpath.normpath(
                        posixpath.join(posixpath.dirname(member.name), target) if member.issym() else target
                    )
                )
            elif member.name == "manifest.json":
                file = outer.extractfile(member)
                assert file is not None
                order = json.load(file)[0]["Layers"]
            elif member.isfile() and not member.name.endswith((".json", "VERSION", "repositories", "oci-layout")):
                seen[member.name] = _walk(outer, member)
    found: list[ImageContent] = []
    counts: list[tuple[int | None, int | None]] = []
    sboms = b""
    for name, layer in zip(names, order, strict=True):
        one = seen[layer]
        one = seen[one.same] if one.same else one
        counts.append((one.files, one.content))
        found += [ImageContent(path=path, size=size, layer=name) for size, path in one.biggest]
        sboms = one.sbom or sboms
    return counts, heapq.nlargest(BIGGEST, found, key=lambda one: one.size), _packages(sboms)


def _walk(outer: tarfile.TarFile, member: tarfile.TarInfo) -> Walked:
    one = Walked()
    with contextlib.suppress(tarfile.ReadError):  # a blob that is no layer
        with tarfile.open(fileobj=outer.extractfile(member), mode="r|*") as layer:
            for file in layer:
                if not file.isfile():
                    continue
                path = f"/{file.name.removeprefix('./').lstrip('/')}"
                one.files, one.content = one.files + 1, one.content + file.size
                one.biggest = heapq.nlargest(BIGGEST, [*one.biggest, (file.size, path)])
                if path == f"/{SBOM}" and (content := layer.extractfile(file)) is not None:
                    one.sbom = content.read()
    return one


@dataclass
class Walked:
    """What was found in one layer; ``same`` names another one that it is."""

    files: int = 0
    content: int = 0
    biggest: list[tuple[int, str]] = field(default_factory=list)
    sbom: bytes = b""
    same: str = ""


def pull(package: Package, *, logins: Logins, way: Way) -> None:
    """Bring a package's image from its registry into the engine; one that was never pushed is there already.

    Args:
        package: The package.
        logins: Who we are at registries.
        way: How connections are opened, where the engine's own way does not lead to the registry.

    Raises:
        Conflict: It is a folder, or not made yet.
        NotFound: The engine has it no more, and it was never in a registry.
        InvalidInput: The registry has it no more, or does not let us in.
        TargetUnavailable: No engine answers.
    """
    result = package.result
    if package.generate_dockerfile:
        raise Conflict("this package is a folder to build from: there is no image to pull", hint="Use save().")
    if result is None:
        raise Conflict(f"package {package.id} is not made: it is {package.state}", hint="Wait for its creation.")
    client = connect(os.environ)
    if result.registry:
        ImageSource(client, logins, way, silent).pull(result.location, field="location")
    elif images.find(client, result.location) is None:
        raise NotFound(
            f"the image {result.location} is not in the engine any more",
            hint="Package it again; or name a registry in the setting image_registry to keep images.",
        )


def _packages(content: bytes) -> list[dict[str, str]]:
    components = json.loads(content)["components"] if content else []
    return [
        {"name": one["name"], "version": str(one.get("version", "")), "part": one["bom-ref"].partition(":")[0]}
        for one in components
        if one["bom-ref"].startswith(("environment:", "front:", "conda:"))
    ]
