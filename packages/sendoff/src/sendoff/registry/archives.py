"""Where pickles hide: plain, compressed by joblib, in PyTorch's zip archives, in NumPy's object arrays."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import time
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

from .detect import Detected
from .opcodes import Budget, OverBudget, Pickle, Reader, Unreadable

_PICKLE_NAMES = re.compile(
    r".*\.(pkl|pickle|p|joblib|jbl|sav|dill|cloudpickle|pt|pth|ckpt|npy|npz|pkl\.\w+|joblib\.\w+)\Z", re.I
)
_TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The first pickle of PyTorch's format before 1.6: four more follow, then raw bytes."""
_SECONDS_FOR_A_LOOK, _BYTES_FOR_A_LOOK = 2.0, 64 << 20
_ZFILE_HEADER = len(b"ZF") + len("0x10000000000000000")


class Sink:
    """What a scan finds in one file."""

    def __init__(self, on_import: Callable[[str], None], detected: Detected, budget: Budget) -> None:
        self.on_import = on_import
        self.detected = detected
        self.budget = budget
        self.pickles = 0


def looks_like_pickle(name: str) -> bool:
    """Whether a file's name says that it holds pickles."""
    return _PICKLE_NAMES.match(name) is not None


def search(stream: BinaryIO, name: str, sink: Sink, depth: int = 0) -> None:
    """Follow every pickle in a file.

    Args:
        stream: The file, from its start; zip archives need it to be seekable.
        name: Its name.
        sink: Takes what is found; ``pickles`` counts.
        depth: How many containers this one lies in.

    Raises:
        Unreadable: The file has to hold a pickle, by its name or first bytes, and cannot be followed.
        OverBudget: The bounds are reached.
    """
    if depth > 3:
        raise Unreadable("its containers lie too deep in each other")
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, stream))
    head = buffered.peek(16)[:16]
    if head.startswith(b"PK\x03\x04"):
        _zip(buffered, name, sink, depth)
    elif head.startswith(b"\x93NUMPY"):
        _npy(Reader(buffered, sink.budget), sink)
    elif (opened := _decompressed(buffered, head)) is not None:
        try:
            search(cast(BinaryIO, opened), name, sink, depth + 1)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise Unreadable(f"its compressed bytes cannot be read: {error}") from None
    elif head.startswith(b"\x04\x22\x4d\x18"):
        raise Unreadable("it is compressed with LZ4, which is not looked into")
    else:
        _plain(buffered, head, name, sink)


def may_be_pickle(stream: BinaryIO) -> bool:
    """Whether joblib's or pickle's loader could take a file for a pickle: by its first bytes, unpickling nothing.

    A pickle of the protocols 0 and 1 has no first bytes of its own: what may be one is followed. What cannot be told
    is taken for one.

    Args:
        stream: The file, from its start.
    """
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, stream))
    head = buffered.peek(16)[:16]
    if head.startswith((b"PK\x03\x04", b"\x93NUMPY")):
        return False
    if head.startswith(b"\x04\x22\x4d\x18"):
        return True  # LZ4: joblib reads it, and it is not looked into
    opened = _decompressed(buffered, head)
    try:
        inner = opened or buffered
        if re.match(rb"\x80[\x02-\x0f]", inner.peek(2)[:2]):
            return True
        return _old_pickle(inner)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        return False


def _old_pickle(stream: io.BufferedReader) -> bool:
    imported: list[str] = []
    clock = time.monotonic
    reader = Reader(cast(BinaryIO, stream), Budget(clock() + _SECONDS_FOR_A_LOOK, clock, _BYTES_FOR_A_LOOK))
    pickle = Pickle(reader, imported.append, lambda key, value: None)
    try:
        pickle.follow()
    except OverBudget:
        return True
    except Unreadable:
        return bool(imported) and pickle.called  # text may begin with an import's opcode, and then calls nothing
    return reader.position >= 3  # a lone opcode or two: any text may begin so


def _plain(stream: io.BufferedReader, head: bytes, name: str, sink: Sink) -> None:
    certain = looks_like_pickle(name) or re.match(rb"\x80[\x02-\x05]", head) is not None
    held: list[str] = []
    reader = Reader(cast(BinaryIO, stream), sink.budget)
    count = 0
    while True:
        start = reader.position
        pickle = Pickle(reader, sink.on_import if certain else held.append, sink.detected.pair)
        try:
            pickle.follow()
        except Unreadable:
            if count:
                return  # what follows a whole pickle need not be one
            if certain:
                sink.pickles += 1
                raise
            if held and pickle.called:
                certain = True  # text that names imports and calls them: loaders run that before they fail
                sink.pickles += 1
                for found in held:
                    sink.on_import(found)
                raise
            return
        if not certain and not held and reader.position - start < 3:
            return  # a lone opcode or two: any text may begin so
        count += 1
        sink.pickles += 1
        sink.detected.roots.append(pickle.root)
        for found in held:
            sink.on_import(found)
        certain, held = True, []
        if count == 5 and head.startswith(b"\x80\x02" + _TORCH_MAGIC[:8]):
            return
        if not stream.peek(1):
            return


def _npy(reader: Reader, sink: Sink) -> None:
    version = reader.read(8)[6:]
    width = 2 if version[:1] == b"\x01" else 4
    header = reader.read(int.from_bytes(reader.read(width), "little"))
    if re.search(rb"'descr':.*'[|<>=]?O", header, re.S):
        sink.pickles += 1
        Pickle(reader, sink.on_import, sink.detected.pair).follow()


def _zip(stream: io.BufferedReader, name: str, sink: Sink, depth: int) -> None:
    if not stream.seekable():
        raise Unreadable("a zip archive inside a compressed file is not looked into")
    try:
        with zipfile.ZipFile(cast(BinaryIO, stream)) as archive:
            for entry in archive.infolist():
                sink.budget.check_time()
                if entry.is_dir():
                    continue
                with archive.open(entry) as member:
                    if entry.filename.rpartition("/")[2] == "metadata.json" and entry.file_size < 65536:
                        sink.detected.keras_metadata(member.read())
                        continue
                    _member(member, entry.filename, sink, depth)
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        RuntimeError,
        NotImplementedError,
        EOFError,
        OSError,
    ) as error:
        raise Unreadable(f"its zip archive cannot be read: {error}") from None


def _member(member: object, name: str, sink: Sink, depth: int) -> None:
    stream = io.BufferedReader(_Pieces(cast(BinaryIO, member)))
    # PyTorch keeps tensors' raw bytes as members; only what looks like a pickle or a container is followed.
    if looks_like_pickle(name) or re.match(rb"\x80[\x02-\x05]|\x93NUMPY", stream.peek(16)[:16]):
        search(cast(BinaryIO, stream), name, sink, depth + 1)


def _decompressed(stream: io.BufferedReader, head: bytes) -> io.BufferedReader | None:
    source = cast(BinaryIO, stream)
    if head.startswith(b"\x1f\x8b"):
        return io.BufferedReader(_Pieces(cast(BinaryIO, gzip.GzipFile(fileobj=source))))
    if head.startswith(b"BZh"):
        return io.BufferedReader(_Pieces(cast(BinaryIO, bz2.BZ2File(source))))
    if head.startswith((b"\xfd7zXZ\x00", b"\x5d\x00\x00")):
        return io.BufferedReader(_Pieces(cast(BinaryIO, lzma.LZMAFile(source))))
    if head.startswith(b"ZF0x"):
        stream.read(_ZFILE_HEADER)
        return io.BufferedReader(_Inflating(source))
    if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:
        return io.BufferedReader(_Inflating(source))
    return None


class _Pieces(io.RawIOBase):
    """A stream of what ``_piece`` gives; without ``seek``, which on compressed streams reads on outside the budget."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._piece(len(view))
        view[: len(data)] = data
        return len(data)

    def _piece(self, most: int) -> bytes:
        return self._source.read(most)


class _Inflating(_Pieces):
    """A zlib stream, inflated piece by piece."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__(source)
        self._inflate = zlib.decompressobj()

    def _piece(self, most: int) -> bytes:
        while not self._inflate.eof:
            pending = self._inflate.unconsumed_tail or self._source.read(1 << 16)
            if not pending:
                raise EOFError("it is cut off")
            if data := self._inflate.decompress(pending, most):
                return data
        return b""


__all__ = ["OverBudget", "Sink", "Unreadable", "looks_like_pickle", "may_be_pickle", "search"]
