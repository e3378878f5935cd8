"""The frames that a front and its workers exchange, version 1 (docs/protocol.md).

This file is the whole of the wire format and is imported by both sides, so it is written for Python 3.6
and the standard library alone. A frame is a fixed header, a list of body lengths, and the bodies:

    offset  size  field
    0       2     magic, the bytes ``SF``
    2       1     protocol version
    3       1     kind (``Kind``)
    4       2     code: an HTTP status, a set of flags, or 0, by kind
    6       2     number of bodies
    8       8     id of the request, 0 where a frame belongs to none
    16      8     clock: a float64 of seconds; a deadline or a duration, by kind
    24      4*n   length of each body, uint32
    ...           the bodies, one after the other

All integers are little-endian. Nothing is compressed and bodies are opaque to the codec.
"""

import struct
from typing import List, Optional, Sequence, Tuple, Union

VERSION = 1
MAGIC = b"SF"
MAX_BODIES = 64
# A frame larger than this is refused before any of its bodies is kept.
DEFAULT_MAX_FRAME = 1 << 30
# The pieces of a frame larger than this are kept as they come and joined once.
LARGE = 1 << 16

_HEAD = struct.Struct("<2sBBHHQd")
HEAD_SIZE = _HEAD.size
# Most frames have one body: their header and length are packed and unpacked at once.
_HEAD_AND_LENGTH = struct.Struct("<2sBBHHQdI")

Buffer = Union[bytes, bytearray, memoryview]


class Kind:
    """What a frame says. Values are part of the wire format and are never reused."""

    HELLO = 1  # both ways, first: JSON {"protocol": [versions], ...}
    READY = 2  # worker: init() has returned; JSON description of the script
    FAILED = 3  # worker: the script cannot be served; JSON error
    LOG = 4  # worker: lines written by the script; bodies: stream name, text
    RUN = 5  # front: score one request; code: RunFlag set; clock: deadline; bodies: payload [, JSON of the request]
    RESULT = 6  # worker: the answer; code: HTTP status; clock: seconds in run(); bodies: payload [, JSON headers]
    ERROR = 7  # worker: no answer; code: HTTP status; clock: seconds in run(); body: JSON error
    CHUNK = 8  # worker: a piece of a streamed answer; body: bytes
    END = 9  # worker: the streamed answer is complete; clock: seconds in run()
    FORK = 10  # front to a template: fork a worker for the socket sent along
    FORKED = 11  # template: JSON {"pid": n} of the new worker
    ENDED = 12  # template: JSON {"pid": n, "returncode": n} of a worker that has ended
    NOTE = 13  # worker: something the front counts or collects; JSON {"note": name, ...}
    # worker: rows of a data collector; code: CollectFlag set; clock: Unix time; bodies: JSON of what, rows
    COLLECT = 14
    CAPTURE = 15  # front to its recorder: one answered request; clock: Unix time; bodies: id, input, prediction
    SKIPPED = 16  # worker: the front had withdrawn the request before it was begun


KINDS = frozenset(value for name, value in vars(Kind).items() if not name.startswith("_"))


class RunFlag:
    """Bits of the code of a RUN frame."""

    REQUEST = 1  # the second body holds the request's method, target and headers as JSON
    SHARED = 2  # the first body is a reference to the room for requests (room.py)


class ResultFlag:
    """Bits added to the HTTP status in the code of a RESULT frame (statuses need ten bits)."""

    STATUS_MASK = 0x03FF
    STREAM = 0x0400  # CHUNK frames follow, then END
    NON_FINITE = 0x0800  # the payload holds NaN or infinity as Python's own JSON text
    HEADERS = 0x1000  # the second body holds [[name, value], ...] as JSON
    FAILED = 0x2000  # the script says that it failed (run_function_failed)
    SHARED = 0x4000  # the first body is a reference to the room for answers (room.py)


class CollectFlag:
    """Bits of the code of a COLLECT frame."""

    DROPPED = 1  # there are no rows: they were larger than allowed, or could not be written as JSON


class ProtocolError(Exception):
    """The peer sent bytes that are not a frame, or a frame that is not allowed.

    Attributes:
        before: whole frames that came before it in the same bytes, when a stream was being decoded.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.before: List["Frame"] = []


class Frame:
    """One decoded frame.

    Attributes:
        kind: one of ``Kind``.
        code: an HTTP status or flags, by kind.
        id: id of the request, 0 for none.
        clock: a deadline (seconds of the monotonic clock) or a duration in seconds, by kind.
        bodies: the bodies, each ``bytes``.
    """

    __slots__ = ("bodies", "clock", "code", "id", "kind")

    def __init__(self, kind: int, code: int, id: int, clock: float, bodies: List[bytes]) -> None:  # noqa: A002
        self.kind = kind
        self.code = code
        self.id = id
        self.clock = clock
        self.bodies = bodies

    def __repr__(self) -> str:
        fields = (self.kind, self.code, self.id, self.clock, [len(body) for body in self.bodies])
        return "Frame(kind=%d, code=%d, id=%d, clock=%r, bodies=%r)" % fields

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> Tuple[int, int, int, bytes, Tuple[bytes, ...]]:
        # The clock is compared as its eight bytes, so that a NaN equals itself.
        return (self.kind, self.code, self.id, struct.pack("<d", self.clock), tuple(self.bodies))


def encode_head(kind: int, lengths: Sequence[int], code: int = 0, id: int = 0, clock: float = 0.0) -> bytes:  # noqa: A002
    """Return the header and length list of a frame, for callers that send the bodies themselves.

    Raises:
        ProtocolError: a field does not fit the format.
    """
    try:
        if len(lengths) == 1:
            return _HEAD_AND_LENGTH.pack(MAGIC, VERSION, kind, code, 1, id, clock, lengths[0])
        head = _HEAD.pack(MAGIC, VERSION, kind, code, len(lengths), id, clock)
        if len(lengths) > MAX_BODIES:
            raise ProtocolError("a frame has at most %d bodies, not %d" % (MAX_BODIES, len(lengths)))
        return head + struct.pack("<%dI" % len(lengths), *lengths)
    except struct.error as error:
        raise ProtocolError("a field does not fit the frame format: %s" % error) from error


def encode(
    kind: int,
    bodies: Sequence[Buffer] = (),
    code: int = 0,
    id: int = 0,  # noqa: A002
    clock: float = 0.0,
) -> bytes:
    """Return one frame as bytes.

    Args:
        kind: one of ``Kind``.
        bodies: any number of binary bodies, at most ``MAX_BODIES``.
        code: HTTP status or flags, 16 bits.
        id: id of the request, 64 bits.
        clock: deadline or duration in seconds.

    Raises:
        ProtocolError: a field does not fit the format.
    """
    return b"".join([encode_head(kind, [len(body) for body in bodies], code, id, clock)] + list(bodies))


def encode_head_of_one(kind: int, size: int, code: int, id: int, clock: float) -> bytes:  # noqa: A002
    """Return the header and length list of a frame with one body, of fields that are known to fit."""
    return _HEAD_AND_LENGTH.pack(MAGIC, VERSION, kind, code, 1, id, clock, size)


def encode_all(kind: int, ids: Sequence[int], bodies: Sequence[bytes], code: int = 0, clock: float = 0.0) -> bytes:
    """Return frames of one kind, code and clock with one body each, one after the other.

    Args:
        kind: one of ``Kind``.
        ids: id of each; bodies: body of each.
        code: of all; clock: of all.
    """
    pack = _HEAD_AND_LENGTH.pack
    pieces: List[bytes] = []
    for each, body in zip(ids, bodies):
        pieces += (pack(MAGIC, VERSION, kind, code, 1, each, clock, len(body)), body)
    return b"".join(pieces)


class Decoder:
    """Turns a stream of bytes into frames; never hangs, never keeps more than one frame's bytes too many.

    Args:
        max_frame: largest sum of a frame's bodies, in bytes.
    """

    def __init__(self, max_frame: int = DEFAULT_MAX_FRAME) -> None:
        self._max_frame = max_frame
        self._buffer = bytearray()
        self._pieces: List[bytes] = []
        self._held = 0
        # Bytes that must be there before the frame at the head can be complete.
        self._needed = HEAD_SIZE

    @property
    def pending(self) -> int:
        """Bytes received of a frame that is not complete."""
        return len(self._buffer) + self._held

    @property
    def missing(self) -> int:
        """Bytes that the next frame still lacks, as far as is known: a hint for the size of a read."""
        return max(self._needed - self.pending, 0)

    def feed(self, data: Buffer) -> List[Frame]:
        """Take the next bytes of the stream and return the frames they complete, in order.

        Raises:
            ProtocolError: the stream is not made of frames; ``before`` has those that came before that, which are
                good. The decoder cannot be used after it.
        """
        if self._pieces:
            self._pieces.append(bytes(data))
            self._held += len(data)
            return [] if self._held < self._needed else self._assemble()
        if self._buffer:
            self._buffer += data
            # Below a whole head it is looked at again: a wrong start is told at once, however the stream is cut.
            if self._needed > HEAD_SIZE and len(self._buffer) < self._needed:
                return []
            # Not copied as a whole: the bodies of a large frame are copied out once, below.
            source: Union[bytes, bytearray] = self._buffer
        else:
            source = bytes(data)
        frames: List[Frame] = []
        at = 0
        if isinstance(source, bytes):
            # Whole frames with one body, as nearly all are. Anything else is looked at below.
            end, most, unpack = len(source), self._max_frame, _HEAD_AND_LENGTH.unpack_from
            while end - at >= _HEAD_AND_LENGTH.size:
                magic, version, kind, code, count, frame_id, clock, size = unpack(source, at)
                start = at + _HEAD_AND_LENGTH.size
                whole = count == 1 and start + size <= end and size <= most
                if not whole or magic != MAGIC or version != VERSION or kind not in KINDS:
                    break
                at = start + size
                frames.append(Frame(kind, code, frame_id, clock, [source[start:at]]))
            if at == end:
                self._needed = HEAD_SIZE
                return frames
        try:
            taken = self._take(source, at)
            while taken is not None:
                frame, at = taken
                frames.append(frame)
                taken = self._take(source, at)
        except ProtocolError as error:
            error.before = frames
            raise
        if at == len(source):
            self._buffer = bytearray()
        elif self._needed > LARGE:
            self._pieces = [bytes(memoryview(source)[at:])]
            self._held = len(source) - at
            self._buffer = bytearray()
        elif at or source is not self._buffer:
            self._buffer = bytearray(memoryview(source)[at:])
        return frames

    def feed_all(self, data: Buffer) -> Tuple[List[Frame], Optional[Exception]]:
        """Take the next bytes as ``feed`` does; returns the good frames, and what is wrong behind them or None."""
        try:
            return self.feed(data), None
        except ProtocolError as error:
            return error.before, error

    def _assemble(self) -> List[Frame]:
        """Return the large frame whose pieces are there, and the frames that came with its last piece."""
        pieces = [memoryview(piece) for piece in self._pieces]
        self._pieces, self._held, self._needed = [], 0, HEAD_SIZE
        _, _, kind, code, count, frame_id, clock = _HEAD.unpack_from(pieces[0], 0)
        lengths = struct.unpack_from("<%dI" % count, pieces[0], HEAD_SIZE)
        pieces[0] = pieces[0][HEAD_SIZE + 4 * count :]
        bodies: List[bytes] = []
        for length in lengths:
            parts = []
            while length and len(pieces[0]) <= length:
                length -= len(pieces[0])
                parts.append(pieces.pop(0))
            if length:
                parts.append(pieces[0][:length])
                pieces[0] = pieces[0][length:]
            bodies.append(b"".join(parts))
        frame = Frame(kind, code, frame_id, clock, bodies)
        if not pieces or not len(pieces[0]):
            return [frame]
        try:
            return [frame] + self.feed(bytes(pieces[0]))
        except ProtocolError as error:
            error.before.insert(0, frame)
            raise

    def _take(self, source: Union[bytes, bytearray], at: int) -> Optional[Tuple[Frame, int]]:
        available = len(source) - at
        if available < HEAD_SIZE:
            self._needed = HEAD_SIZE
            # A wrong start is told at once, not when enough rubbish has come.
            if available and not MAGIC.startswith(bytes(source[at : at + 2])):
                raise ProtocolError("not a frame: it starts with %r" % bytes(source[at : at + 2]))
            return None
        magic, version, kind, code, count, frame_id, clock = _HEAD.unpack_from(source, at)
        if magic != MAGIC:
            raise ProtocolError("not a frame: it starts with %r" % magic)
        if version != VERSION:
            raise ProtocolError("frame of protocol version %d; this side speaks %d" % (version, VERSION))
        if kind not in KINDS:
            raise ProtocolError("unknown kind of frame: %d" % kind)
        if count > MAX_BODIES:
            raise ProtocolError("a frame has at most %d bodies, not %d" % (MAX_BODIES, count))
        start = HEAD_SIZE + 4 * count
        if available < start:
            self._needed = start
            return None
        lengths = struct.unpack_from("<%dI" % count, source, at + HEAD_SIZE)
        size = sum(lengths)
        if size > self._max_frame:
            raise ProtocolError("a frame of %d bytes is over the limit of %d" % (size, self._max_frame))
        if available < start + size:
            self._needed = start + size
            return None
        bodies: List[bytes] = []
        position = at + start
        for length in lengths:
            if isinstance(source, bytes):
                bodies.append(source[position : position + length])
            else:
                bodies.append(bytes(memoryview(source)[position : position + length]))
            position += length
        self._needed = HEAD_SIZE
        return Frame(kind, code, frame_id, clock, bodies), position


def common_version(theirs: object) -> int:
    """Return the newest protocol version that both sides speak.

    Args:
        theirs: what the other side's HELLO gave as "protocol".

    Raises:
        ProtocolError: there is none; the message names both sides' versions.
    """
    if isinstance(theirs, list) and VERSION in theirs:
        return VERSION
    raise ProtocolError("the other side speaks protocol versions %r; this side speaks [%d]" % (theirs, VERSION))
