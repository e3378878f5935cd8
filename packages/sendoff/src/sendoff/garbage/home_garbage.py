"""What lies in a home's folders and nothing refers to: layers, packages, and what was being made when it ended."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple


class Dead(NamedTuple):
    """Files that go together; ``name`` is for people."""

    name: str
    paths: list[Path]


def layers(home: Path, kept: Collection[str], before: float) -> list[Dead]:
    """Archives of layers, plain and compressed, that no image that stays has, and that nobody used since.

    Args:
        home: The home.
        kept: Layers (``diff_ids``) of images that stay.
        before: Unix time; what was used later stays.
    """
    found = []
    folder = home / "images" / "layers"
    for facts in sorted(folder.glob("[!.]*.json")):
        stem = facts.name.partition(".")[0]
        about = _read(facts)
        if about.get("diff_id") not in kept and _changed(facts) < before:
            paths = [facts]
            if not facts.name.endswith(".fact.json"):
                paths += [folder / f"{stem}.tar", folder / f".{stem}.lock"]
            found.append(Dead(f"{about.get('name', 'layer')} {str(about.get('diff_id', stem))[7:19]}", paths))
    known = {path for dead in found for path in dead.paths} | {
        folder / f"{facts.name.partition('.')[0]}.tar" for facts in folder.glob("[!.]*.json")
    }
    for path in [*folder.glob("*.tar"), *folder.glob(".*.tar.*"), *folder.glob(".*.json.*")]:
        if path not in known and _changed(path) < before:
            found.append(Dead(path.name, [path]))
    blobs = home / "images" / "blobs"
    for facts in sorted(blobs.glob("*.json")):
        if f"sha256:{facts.stem}" not in kept and _changed(facts) < before:
            blob = str(_read(facts).get("digest", "")).removeprefix("sha256:")
            found.append(Dead(f"compressed {facts.stem[:12]}", [facts, *([blobs / blob] if blob else [])]))
    found += [Dead(path.name, [path]) for path in sorted(blobs.glob(".*")) if _changed(path) < before]
    return found


def packages(home: Path, known: Collection[str], before: float) -> list[Dead]:
    """Folders that were packaged, of which no record is left."""
    found: dict[str, Dead] = {}
    for path in sorted((home / "packages").glob("*")):
        name = path.name.partition(".")[0]
        if name not in known and _changed(path) < before:
            found.setdefault(name, Dead(name, [])).paths.append(path)
    return list(found.values())


def archives(home: Path, before: float) -> list[Dead]:
    """Archives that definitions brought along, laid out for an installer; the next one lays them out again."""
    found = sorted((home / "cache" / "archives").glob("*"))
    return [Dead(path.name, [path]) for path in found if _changed(path) < before]


def staging(home: Path, before: float) -> list[Dead]:
    """What was half made when its maker ended. Locks stay: somebody may hold one."""
    found = []
    for path in sorted((home / "staging").glob("*")):
        if path.suffix != ".lock" and _changed(path) < before:
            found.append(Dead(path.name, [path]))
    return found


def _changed(path: Path) -> float:
    """When it, or anything in it, was changed last."""
    try:
        newest = path.lstat().st_mtime
        for here, folders, files in os.walk(path):
            for name in (*folders, *files):
                newest = max(newest, os.lstat(Path(here) / name).st_mtime)
        return newest
    except FileNotFoundError:
        return float("inf")


def _read(facts: Path) -> dict[str, object]:
    try:
        found = json.loads(facts.read_bytes())
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}
