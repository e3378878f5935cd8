"""Coverage-guided fuzzing of what reads bytes from outside: the frame decoder, the multipart parser, shared memory.

    pip install atheris        (in an environment of its own; it is not a dependency)
    python tests/serving/fuzz.py frames -max_total_time=600 tests/serving/corpus/frames
    python tests/serving/fuzz.py multipart -max_total_time=600 tests/serving/corpus/multipart
    python tests/serving/fuzz.py references -max_total_time=600 tests/serving/corpus/references

Run with PYTHONPATH=packages/serving/src. `test_fuzz_corpus.py` replays the kept corpora in every test run.
"""

from __future__ import annotations

import sys


def frames(data: bytes) -> None:
    """Only ProtocolError may come out; the cuts of the stream change nothing; what was read can be written again."""
    from sendoff_serving.protocol import Decoder, ProtocolError, encode

    if not data:
        return
    step, stream = data[0] % 37 + 1, data[1:]
    whole = Decoder(max_frame=1 << 16)
    try:
        at_once = whole.feed(stream)
    except ProtocolError:
        at_once = None
    pieces, cut = Decoder(max_frame=1 << 16), []
    try:
        for at in range(0, len(stream), step):
            cut += pieces.feed(stream[at : at + step])
    except ProtocolError:
        assert at_once is None, "a stream is refused in pieces and taken at once"
        return
    assert at_once is not None, "a stream is taken in pieces and refused at once"
    assert cut == at_once
    assert pieces.pending == whole.pending
    again = b"".join(encode(f.kind, f.bodies, f.code, f.id, f.clock) for f in cut)
    assert again == stream[: len(stream) - whole.pending]


def multipart(data: bytes) -> None:
    """Any body gives fields and files, or ValueError."""
    from sendoff_serving.worker.multipart import parse

    boundary, _, body = data.partition(b"\n")
    try:
        fields, files = parse(body, "multipart/form-data; boundary=" + boundary.decode("latin-1"))
    except ValueError:
        return
    assert sum(len(value) for _, value in fields) + sum(len(one.stream.getvalue()) for _, one in files) <= len(body)


def references(data: bytes) -> None:
    """What a worker says of its memory is within it, or ProtocolError; and a room gives out no place twice."""
    from sendoff_serving.protocol import LARGE, ProtocolError
    from sendoff_serving.room import Room, place_of

    memory = memoryview(bytearray(8 * LARGE))
    try:
        _, start, size = place_of(memory, data)
    except ProtocolError:
        pass
    else:
        assert start + size <= len(memory)
    free: set[int] = set()
    room, live = Room(memory, free.__contains__), {}
    for byte in data:
        if byte & 1 and live:
            free.add(sorted(live)[byte % len(live)])
            live = {order: place for order, place in live.items() if order not in free}
            continue
        size = LARGE - 1 + byte * 2000
        laid = room.lay((bytes(size),), size)
        if laid is not None:
            order, start, length = place_of(memory, laid[1])
            assert length == size > LARGE
            assert all(start + length <= other or start >= other + many for other, many in live.values())
            live[order] = (start, length)


TARGETS = {"frames": frames, "multipart": multipart, "references": references}


def main() -> None:
    import atheris

    target = TARGETS[sys.argv.pop(1)]
    with atheris.instrument_imports(include=["sendoff_serving"]):
        target(b"")
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
