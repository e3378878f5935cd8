"""Puts an assembled image into the engine: only the layers that it has not got travel."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import files
from ..containers import images
from ..containers.engine import Engine
from ..containers.hashing import Hashing
from ..errors import StoreError, TargetUnavailable
from ..progress import Progress
from ..spec.parse import replace
from .base_image import BaseImage
from .image_layers import Entries, Layer, pieces, unread

_CHUNK = 1 << 20
_REMEMBERED = 40


@dataclass(kw_only=True)
class Part:
    """One layer of ours: its facts, what made it (for ``docker history``), and its files where no archive is kept.

    A large layer's digest is learnt when it is written for the first time, so that its files are read once;
    ``learnt`` hears of it.
    """

    layer: Layer
    made_by: str
    entries: Entries = field(default_factory=dict)
    learnt: Callable[[Layer], None] = lambda _: None

    @classmethod
    def of(cls, name: str, entries: Entries, made_by: str) -> Part:
        """A layer of these files, read through once."""
        part = cls(layer=unread(name, entries), made_by=made_by, entries=entries)
        part.measure()
        return part

    def measure(self) -> None:
        """Learn the digest, if nobody has yet."""
        if not self.layer.diff_id and self.layer.path is None:
            for _ in self.pieces():
                pass

    def pieces(self) -> Iterator[bytes]:
        """Its tar archive, in large pieces."""
        if self.layer.path is not None:
            with Path(self.layer.path).open("rb", buffering=0) as file:
                while data := file.read(_CHUNK):
                    yield data
        elif self.layer.diff_id:
            yield from _gathered(pieces(self.entries))
        else:
            hashing = Hashing(None)
            for piece in _gathered(pieces(self.entries)):
                hashing.write(piece)
                yield piece
            self.layer = replace(self.layer, diff_id=hashing.digest, size=hashing.size)
            self.learnt(self.layer)


def _gathered(small: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are worth a call of the system each."""
    held = bytearray()
    for piece in small:
        held += piece
        if len(held) >= _CHUNK:
            yield bytes(held)
            held.clear()
    yield bytes(held)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An image that is in the engine; ``sent`` are the names of layers that travelled."""

    id: str
    size: int
    labels: dict[str, str]
    sent: list[str]


def image_id(config: bytes) -> str:
    """The engine's id of an image: its configuration's digest."""
    return f"sha256:{hashlib.sha256(config).hexdigest()}"


def configuration(
    base: BaseImage, parts: Sequence[Part], settings: dict[str, Any], *, created: str = "2000-01-01T00:00:00Z"
) -> bytes:
    """An image's configuration, as Docker and the OCI image specification have it.

    Args:
        base: What it is built upon.
        parts: Our layers, from below.
        settings: The part under ``config``: command, variables, labels.
        created: When it says that it was made; fixed, so that equal inputs give equal digests.
    """
    history = [{"created": created, "created_by": f"base {base.reference}"} for _ in base.diff_ids]
    history += [{"created": created, "created_by": part.made_by} for part in parts]
    document = {
        "architecture": base.architecture,
        "os": base.os,
        "created": created,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [*base.diff_ids, *(part.layer.diff_id for part in parts)]},
        "history": history,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def load(
    client: Engine,
    base: BaseImage,
    parts: Sequence[Part],
    settings: dict[str, Any],
    *,
    tags: Sequence[str],
    memory: Path,
    progress: Progress,
) -> Loaded:
    """Put an image into the engine, or find it there.

    Args:
        client: The engine.
        base: What it is built upon; in the engine already.
        parts: Our layers, from below.
        settings: As for :func:`configuration`.
        tags: Names for the image.
        memory: A file that remembers which images were put there last, to find layers again.
        progress: Receives plain lines.

    Raises:
        TargetUnavailable: The engine does not answer, or refuses the image.
    """
    sent: list[str] = []
    image = None
    if all(part.layer.diff_id for part in parts):
        image = images.find(client, image_id(configuration(base, parts, settings)))
    if image is None:
        known = _known(client, base, parts, memory)
        missing = parts[known:]
        sent = [part.layer.name for part in missing]
        size = sum(part.layer.size for part in missing)
        progress(f"giving the engine {', '.join(sent) or 'a configuration'} ({size / 1e6:,.1f} MB)")
        try:
            _send(client, base, parts, settings, known)
        except TargetUnavailable as error:
            if error.context.get("reason") != "refused":
                raise
            # An engine with another image store wants every layer in the archive.
            progress("giving the engine the whole image")
            _send_whole(client, base, parts, settings)
        image = images.find(client, image_id(configuration(base, parts, settings)))
    if image is None:
        raise TargetUnavailable("the engine took the image and does not have it", hint="Is its disk full?")
    wanted = image_id(configuration(base, parts, settings))
    for tag in tags:
        images.tag(client, wanted, tag)
    _remember(memory, wanted)
    return Loaded(id=wanted, size=int(image["Size"]), labels=image["Config"].get("Labels") or {}, sent=sent)


def _known(client: Engine, base: BaseImage, parts: Sequence[Part], memory: Path) -> int:
    """How many of our layers, from below, some image in the engine has upon the same base."""
    wanted = [part.layer.diff_id for part in parts]
    most = 0
    for id_ in _remembered(memory):
        if most == len(wanted):
            break
        image = images.find(client, id_) or {}
        there = (image.get("RootFS") or {}).get("Layers") or []
        if there[: len(base.diff_ids)] != base.diff_ids:
            continue
        ours = there[len(base.diff_ids) :]
        same = 0
        while same < min(len(ours), len(wanted)) and ours[same] == wanted[same]:
            same += 1
        most = max(most, same)
    return most


def _send(client: Engine, base: BaseImage, parts: Sequence[Part], settings: dict[str, Any], known: int) -> None:
    # Of a layer that it has the engine looks at the digest alone; its file may be absent from the archive.
    names = [f"base-{number}/layer.tar" for number in range(len(base.diff_ids))]
    names += [f"layer-{number}/layer.tar" for number in range(len(parts))]
    missing = [(names[len(base.diff_ids) + number], parts[number]) for number in range(known, len(parts))]
    images.load(client, _files(lambda: configuration(base, parts, settings), names, missing))


def _send_whole(client: Engine, base: BaseImage, parts: Sequence[Part], settings: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="sendoff-image-") as folder:
        files = saved_layers(client, base.id, Path(folder))
        names = [f"base-{number}/layer.tar" for number in range(len(files))]
        names += [f"layer-{number}/layer.tar" for number in range(len(parts))]
        below = [
            Part(layer=Layer(name="base", diff_id="", size=f.stat().st_size, path=str(f)), made_by="") for f in files
        ]
        whole = list(zip(names, [*below, *parts], strict=True))
        images.load(client, _files(lambda: configuration(base, parts, settings), names, whole))


def saved_layers(client: Engine, image: str, folder: Path, skip: int = 0) -> list[Path]:
    """The tar archives of an image's layers, from below, written below a folder.

    Args:
        client: The engine.
        image: The image's id.
        folder: Where to.
        skip: So many of the lowest are left out.
    """
    archive = folder / "image.tar"
    with archive.open("wb") as out:
        images.save(client, image, out)
    with tarfile.open(archive) as tar:
        listed = tar.extractfile("manifest.json")
        assert listed is not None
        found = []
        for number, name in enumerate(json.load(listed)[0]["Layers"][skip:]):
            file = tar.extractfile(name)  # a link is followed: the same layer twice is stored once
            assert file is not None
            path = folder / f"{number}.tar"
            with path.open("wb") as out:
                shutil.copyfileobj(file, out, _CHUNK)
            found.append(path)
    archive.unlink()
    return found


def _files(make: Callable[[], bytes], names: list[str], layers: list[tuple[str, Part]]) -> Iterator[images.File]:
    """What the engine is given of an image; nothing is written to disk on the way.

    The configuration comes last, since it names the layers' digests, and a large layer's is learnt while it travels.
    """
    for name, part in layers:
        yield name, part.layer.size, part.pieces()
    config = make()
    file = f"{image_id(config).removeprefix('sha256:')}.json"
    manifest = json.dumps([{"Config": file, "RepoTags": None, "Layers": names}]).encode()
    yield "manifest.json", len(manifest), [manifest]
    yield file, len(config), [config]


def _remembered(memory: Path) -> list[str]:
    try:
        return [str(one) for one in json.loads(memory.read_bytes())]
    except (OSError, ValueError, TypeError):
        return []


def _remember(memory: Path, id_: str) -> None:
    kept = [id_, *(one for one in _remembered(memory) if one != id_)][:_REMEMBERED]
    with contextlib.suppress(StoreError):
        files.write_json(memory, kept, folder=0o700)
