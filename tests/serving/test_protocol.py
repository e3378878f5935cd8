"""The frame codec: what is encoded comes back, and nothing makes the decoder hang or fail in another way."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendoff_serving import protocol
from sendoff_serving.protocol import Decoder, Frame, Kind, ProtocolError, encode

kinds = st.sampled_from(sorted(protocol.KINDS))
frames = st.builds(
    Frame,
    kind=kinds,
    code=st.integers(0, 0xFFFF),
    id=st.integers(0, 2**64 - 1),
    clock=st.floats(width=64),
    bodies=st.lists(st.binary(max_size=200), max_size=6),
)


def encoded(frame: Frame) -> bytes:
    return encode(frame.kind, frame.bodies, frame.code, frame.id, frame.clock)


@given(st.lists(frames, max_size=5), st.data())
def test_frames_come_back_however_the_stream_is_cut(sent: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(map(encoded, sent))
    decoder = Decoder()
    got: list[Frame] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        got += decoder.feed(stream[:size])
        stream = stream[size:]
    assert got == sent
    assert decoder.pending == 0


@given(frames, st.data())
def test_a_truncated_frame_is_never_given_out(frame: Frame, data: st.DataObject) -> None:
    stream = encoded(frame)
    cut = data.draw(st.integers(0, len(stream) - 1))
    decoder = Decoder()
    assert decoder.feed(stream[:cut]) == []
    assert decoder.missing > 0
    assert decoder.feed(stream[cut:]) == [frame]


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_garbage_is_refused_or_waited_for_and_nothing_else(pieces: list[bytes]) -> None:
    decoder = Decoder(max_frame=1000)
    try:
        for piece in pieces:
            decoder.feed(piece)
            assert decoder.pending <= 1000 + protocol.HEAD_SIZE + 4 * protocol.MAX_BODIES
    except ProtocolError:
        pass


@given(frames, st.integers(0, 23), st.integers(0, 255))
def test_a_damaged_header_is_refused_or_another_frame(frame: Frame, at: int, value: int) -> None:
    stream = bytearray(encoded(frame))
    stream[at] = value
    try:
        Decoder(max_frame=10_000).feed(bytes(stream))
    except ProtocolError:
        pass


@settings(deadline=None)
@given(st.integers(1001, 2**32 - 1))
def test_an_oversize_frame_is_refused_by_its_header(size: int) -> None:
    head = protocol.encode_head(Kind.RUN, [size], 0, 1, 0.0)
    with pytest.raises(ProtocolError, match="over the limit"):
        Decoder(max_frame=1000).feed(head)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\nand more to fill a header",
        b"x",
        b"SF\x02" + bytes(21),
        b"SF\x01\xff" + bytes(20),
        struct.pack("<2sBBHHQd", b"SF", 1, Kind.RUN, 0, 65, 0, 0.0),
    ],
)
def test_what_is_not_a_frame_is_told_at_once(head: bytes) -> None:
    with pytest.raises(ProtocolError):
        Decoder().feed(head)


def test_fields_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ProtocolError):
        encode(Kind.RUN, [], code=70_000)
    with pytest.raises(ProtocolError):
        encode(Kind.RUN, [b""] * 65)


def test_sides_agree_on_a_version_or_say_why_not() -> None:
    assert protocol.common_version([1, 2]) == 1
    with pytest.raises(ProtocolError, match=r"\[2, 3\].*\[1\]"):
        protocol.common_version([2, 3])
    with pytest.raises(ProtocolError):
        protocol.common_version(None)


@given(st.lists(frames, max_size=5), frames, st.data())
def test_what_came_before_a_wrong_start_is_given_however_the_stream_is_cut(
    sent: list[Frame], large: Frame, data: st.DataObject
) -> None:
    if data.draw(st.booleans()):
        large.bodies.append(bytes(data.draw(st.integers(protocol.LARGE - 100, 3 * protocol.LARGE))))
        sent.insert(data.draw(st.integers(0, len(sent))), large)
    stream = b"".join(map(encoded, sent)) + b"XX" + bytes(protocol.HEAD_SIZE)
    decoder, got, wrong = Decoder(), [], None
    while wrong is None:
        size = data.draw(st.integers(1, len(stream)))
        frames, wrong = decoder.feed_all(stream[:size])
        got += frames
        stream = stream[size:]
    assert got == sent
    assert isinstance(wrong, ProtocolError) and wrong.before == frames
