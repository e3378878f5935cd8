"""What is in an image, told without reading it: a label of the images that we assemble."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..containers.labels import CONTENTS as CONTENTS
from ..spec.package import ImageContent
from .base_image import BaseImage
from .image_engine import Part
from .image_layers import BIGGEST


def contents(base: BaseImage, parts: Sequence[Part]) -> str:
    """The label's value; equal images give equal text.

    Args:
        base: What it is built upon, with the largest of its files.
        parts: Our layers, from below.
    """
    found = [(size, path, -1) for path, size in base.biggest]
    found += [(size, path, number) for number, part in enumerate(parts) for path, size in part.layer.biggest]
    found.sort(key=lambda one: (-one[0], one[1]))
    document = {
        "base": [len(base.diff_ids), base.files, base.content],
        "layers": [[part.layer.files, part.layer.content] for part in parts],
        "biggest": found[:BIGGEST],
    }
    return json.dumps(document, separators=(",", ":"))


def told(label: str, names: Sequence[str]) -> tuple[list[tuple[int | None, int | None]], list[ImageContent]] | None:
    """Files and bytes of each layer, and the largest files, as a label tells them; None when it does not fit.

    Of the base's layers only what they are together is known: it stands at the highest of them.

    Args:
        label: What :func:`contents` gave.
        names: What made each layer, from below.
    """
    try:
        document: dict[str, Any] = json.loads(label)
        below, files, content = (int(one) for one in document["base"])
        layers: list[tuple[int | None, int | None]] = [(None, None)] * below
        if below:
            layers[-1] = (files, content) if files else (None, None)
        layers += [(int(count), int(size)) for count, size in document["layers"]]
        if len(layers) != len(names):
            return None
        biggest = [
            ImageContent(path=str(path), size=int(size), layer=names[below + number if number >= 0 else below - 1])
            for size, path, number in document["biggest"]
        ]
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    return layers, biggest
