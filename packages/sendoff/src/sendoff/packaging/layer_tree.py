"""The file system that an image's layers make, from the names in their archives; of few files what they say is kept.

Whiteouts, hard links and folders that are links are taken as the OCI image specification has them
(https://github.com/opencontainers/image-spec/blob/main/layer.md).
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from typing import IO

from ..errors import ImageNeedsEngine

OPAQUE, WHITEOUT = ".wh..wh..opq", ".wh."
MOST_NAMES = 1_000_000
_MOST_LINKS = 40

Reader = Callable[[str, IO[bytes]], object]
"""Gets a file's path and its content, to read as much of as it wants; what it returns is kept with the file."""


class Node:
    """One thing in the tree. ``told`` is what the reader said of a file; several names may share one node."""

    __slots__ = ("children", "executable", "layer", "link", "size", "told")

    def __init__(
        self, layer: int, *, size: int | None = None, link: str | None = None, executable: bool = False,
        children: dict[str, Node] | None = None, told: object = None,
    ) -> None:  # fmt: skip
        self.layer, self.size, self.link, self.executable = layer, size, link, executable
        self.children, self.told = children, told

    @property
    def file(self) -> bool:
        """Whether this is a regular file, whose ``size`` is in bytes."""
        return self.size is not None


class LayerTree:
    """Folders, files and links of layers that are added from below."""

    def __init__(self) -> None:
        self._root = Node(0, children={})
        self._layers = self._names = 0

    def add(self, layer: tarfile.TarFile, read: Reader) -> None:
        """Put a layer over those that are there.

        Args:
            layer: Its archive, opened as a stream; it is read once.
            read: Is asked about each regular file.

        Raises:
            ImageNeedsEngine: It has more names than are held in memory, or a name that leads out of it.
            tarfile.TarError: It is damaged.
        """
        self._layers += 1
        for member in layer:
            self._names += 1
            if self._names > MOST_NAMES:
                raise ImageNeedsEngine(f"the base image has more than {MOST_NAMES:,} files")
            path = [part for part in member.name.split("/") if part not in ("", ".")]
            if not path:
                continue
            if ".." in path:
                raise ImageNeedsEngine(f"a layer of the base image has the name {member.name!r}")
            self._put(path, member, layer, read)

    def find(self, path: str) -> Node | None:
        """What is at an absolute path, links followed; None when nothing is."""
        return self._walk(path)[1]

    def real(self, path: str) -> str:
        """An absolute path without links in it."""
        return "/" + "/".join(self._walk(path)[0])

    def names(self, path: str) -> list[str]:
        """The names in a folder; none where there is no such folder."""
        found = self.find(path)
        return sorted(found.children) if found is not None and found.children is not None else []

    def files(self) -> Iterator[tuple[str, Node]]:
        """Every name of every regular file, with its absolute path."""
        pending = [("", self._root)]
        while pending:
            at, folder = pending.pop()
            for name, node in (folder.children or {}).items():
                if node.children is not None:
                    pending.append((f"{at}/{name}", node))
                elif node.file:
                    yield f"{at}/{name}", node

    def _put(self, path: list[str], member: tarfile.TarInfo, layer: tarfile.TarFile, read: Reader) -> None:
        folder, name = self._folder(path[:-1]), path[-1]
        children = folder.children
        assert children is not None
        if name == OPAQUE:
            self._without_lower(folder)
        elif name.startswith(WHITEOUT):
            gone = children.get(name.removeprefix(WHITEOUT))
            if gone is not None and gone.layer < self._layers:
                del children[name.removeprefix(WHITEOUT)]
        elif member.isdir():
            there = children.get(name)
            if there is not None and there.children is not None:
                there.layer = self._layers
            else:
                children[name] = Node(self._layers, children={})
        elif member.islnk():
            node = self._walk(member.linkname, last=False)[1]
            if node is not None:
                children[name] = node
        elif member.issym():
            children[name] = Node(self._layers, link=member.linkname)
        elif member.isreg():
            file = layer.extractfile(member)
            told = read("/" + "/".join(path), file) if file is not None else None
            executable = bool(member.mode & 0o111)
            children[name] = Node(self._layers, size=member.size, executable=executable, told=told)
        else:
            children[name] = Node(self._layers)

    def _folder(self, path: list[str]) -> Node:
        """The folder at a path, made where it is missing."""
        parts, node = self._walk("/" + "/".join(path))
        if node is not None and node.children is not None:
            return node
        node = self._root
        for part in parts:
            assert node.children is not None
            below = node.children.get(part)
            if below is None or below.children is None:
                below = node.children[part] = Node(self._layers, children={})
            node = below
        return node

    def _walk(self, path: str, *, last: bool = True) -> tuple[list[str], Node | None]:
        """The parts of a path without links, and what is there; ``last`` False does not follow a link at its end."""
        pending = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        parts: list[str] = []
        nodes: list[Node | None] = [self._root]
        links = 0
        while pending:
            part = pending.pop()
            if part == "..":
                if parts:
                    del parts[-1], nodes[-1]
                continue
            here = nodes[-1]
            node = here.children.get(part) if here is not None and here.children is not None else None
            if node is not None and node.link is not None and (pending or last):
                links += 1
                if links > _MOST_LINKS:
                    return parts, None
                if node.link.startswith("/"):
                    parts, nodes = [], [self._root]
                pending += [one for one in reversed(node.link.split("/")) if one not in ("", ".")]
                continue
            parts.append(part)
            nodes.append(node)
        return parts, nodes[-1]

    def _without_lower(self, folder: Node) -> None:
        """Take away what lower layers have in a folder."""
        children = folder.children or {}
        for name, node in list(children.items()):
            if node.children is not None:
                self._without_lower(node)
                if node.layer == self._layers or node.children:
                    continue
            if node.layer < self._layers:
                del children[name]
