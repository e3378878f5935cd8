"""Follow a pickle's opcodes without running any: which names would it import, and what does it state about itself?

Values are followed only as far as that needs: strings, small numbers, tuples, and objects with their state. Nothing is
imported, built or called. joblib writes array bytes raw into the stream after a ``NumpyArrayWrapper``; its state tells
how many to step over.
"""

from __future__ import annotations

import io
import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

_KEEP = 1024
"""Longer strings, tuples and dicts are followed as unknown values: no name or shape is that long."""
_MOST_MEMO = 2_000_000
_FURTHEST = 1 << 60
_WRAPPERS = ("joblib.numpy_pickle.NumpyArrayWrapper", "sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper")
_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}
_MODULE = re.compile(r"[A-Za-z_][\w.]*\Z")


class Unreadable(Exception):
    """The stream is no pickle, is cut off, or cannot be followed."""


class OverBudget(Exception):
    """The scan's time or size bound is reached."""


class Budget:
    """Bounds one scan: ``spend`` raises when the time or the bytes are used up."""

    def __init__(self, deadline: float, clock: Callable[[], float], max_bytes: int) -> None:
        self._deadline = deadline
        self._clock = clock
        self._left = max_bytes
        self._ticks = 0

    def spend(self, count: int) -> None:
        """Account for bytes read."""
        self._left -= count
        self._ticks += 1
        if self._left < 0:
            raise OverBudget("it holds more bytes than the scan reads")
        if (self._ticks & 0xFF) == 0 or count > 65536:
            self.check_time()

    def check_time(self) -> None:
        """Raise when the time is used up."""
        if self._clock() > self._deadline:
            raise OverBudget("reading it took longer than the scan may take")


@dataclass(eq=False)
class Name:
    """A ``module.name`` that the pickle imports."""

    path: str


@dataclass(eq=False)
class Object:
    """What calling an imported name would give."""

    path: str
    args: Any
    state: Any = None


_UNKNOWN, _MARK = object(), object()
"""A value that is not followed; the stack's mark."""
_TEXT = frozenset(
    ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8")
)
_NUMBER = frozenset(("INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4"))
_COUNTED = {"BINBYTES": 4, "BINBYTES8": 8, "BYTEARRAY8": 8, "BINUNICODE": 4, "BINUNICODE8": 8, "BINSTRING": 4}
_COUNTED |= {"LONG1": 1, "LONG4": 4}
"""Opcodes whose argument is counted bytes, with the width of the count: large ones are stepped over."""
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _class_of(value: Any) -> str | None:
    """The class of an object; of one that the protocols 0 and 1 make, what their constructor is given."""
    if not isinstance(value, Object):
        return None
    if value.path in ("copyreg._reconstructor", "copy_reg._reconstructor"):
        first = value.args[0] if isinstance(value.args, tuple) and value.args else None
        return first.path if isinstance(first, Name) else None
    return value.path


class Reader:
    """A stream read forwards, within a budget."""

    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget
        self.position = 0

    def read(self, count: int) -> bytes:
        """Up to ``count`` bytes."""
        if count < 0:
            raise Unreadable("a length is negative")
        data = self._stream.read(count)
        self.position += len(data)
        self._budget.spend(count=len(data) or 1)
        return data

    def readline(self) -> bytes:
        """One line, at most 64 KiB."""
        data = self._stream.readline(1 << 16)
        self.position += len(data)
        self._budget.spend(count=len(data) or 1)
        return data

    def skip(self, count: int) -> None:
        """Step over bytes; seeks where the stream can."""
        if count < 0:
            raise Unreadable("a length is negative")
        if count > _FURTHEST:
            raise Unreadable("it is cut off")
        if count > 65536 and self._stream.seekable():
            self._stream.seek(count - 1, io.SEEK_CUR)
            if not self._stream.read(1):
                raise Unreadable("it is cut off")
            self.position += count
            return
        while count:
            data = self.read(min(count, 1 << 20))
            if not data:
                raise Unreadable("it is cut off")
            count -= len(data)


class Pickle:
    """One pickle in a stream.

    Args:
        reader: Stands at the pickle's first byte; stands after its last one when :meth:`follow` returns.
        on_import: Called with ``module.name`` for every import, ``?.?`` for one whose name is computed.
        on_pair: Called with two strings that follow each other: keys and values of a state.
    """

    def __init__(self, reader: Reader, on_import: Callable[[str], None], on_pair: Callable[[str, str], None]) -> None:
        self._reader = reader
        self._on_import = on_import
        self._on_pair = on_pair
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._last_text = ""
        self.called = False
        self.root: str | None = None
        """The class of the object that the pickle holds, once it was followed; None where it is of none."""

    def follow(self) -> None:
        """Read to the pickle's end.

        Raises:
            Unreadable: This is no pickle, or it is cut off.
            OverBudget: The scan's bounds are reached.
        """
        while True:
            code = self._reader.read(1)
            if not code:
                raise Unreadable("it is cut off")
            opcode = _OPCODES.get(code.decode("latin-1"))
            if opcode is None:
                raise Unreadable(f"byte {self._reader.position - 1} is no pickle opcode")
            name = opcode.name
            arg = self._argument(name, opcode)
            if name == "STOP":
                self.root = _class_of(self._stack[-1] if self._stack else None)
                return
            try:
                self._step(name, opcode, arg)
            except IndexError:
                raise Unreadable("its stack runs empty") from None

    def _argument(self, name: str, opcode: Any) -> Any:
        width = _COUNTED.get(name)
        try:
            if width is not None:
                count = int.from_bytes(self._exactly(width), "little", signed=name == "LONG4")
                if count > _KEEP:
                    self._reader.skip(count)
                    return _UNKNOWN
                data = self._exactly(count)
                if name in _NUMBER:
                    return int.from_bytes(data, "little", signed=True)
                return data.decode("utf-8", "surrogatepass") if name.startswith("BINUNI") else data.decode("latin-1")
            return None if opcode.arg is None else opcode.arg.reader(self._reader)
        except (ValueError, OverflowError, OSError) as error:
            raise Unreadable(f"{name}: {error}") from None

    def _exactly(self, count: int) -> bytes:
        data = self._reader.read(count)
        if len(data) != count:
            raise Unreadable("it is cut off")
        return data

    def _step(self, name: str, opcode: Any, arg: Any) -> None:
        stack = self._stack
        if name in _TEXT:
            self._text(arg)
        elif name in _NUMBER:
            stack.append(arg)
        elif name == "GLOBAL":
            stack.append(self._import(*_parted(arg)))
        elif name == "INST":
            self._call(self._import(*_parted(arg)), self._to_mark())
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(self._import(module, attribute))
        elif name in ("REDUCE", "NEWOBJ", "NEWOBJ_EX"):
            if name == "NEWOBJ_EX":
                stack.pop()
            args, callee = stack.pop(), stack.pop()
            self._call(callee, args)
        elif name == "OBJ":
            items = self._to_mark()
            callee, *args = items if isinstance(items, tuple) and items else (_UNKNOWN,)
            self._call(callee, tuple(args))
        elif name == "BUILD":
            self._build()
        elif name in _TUPLES:
            count = _TUPLES[name]
            items = tuple(stack[len(stack) - count :])
            if len(items) != count or _MARK in items:
                raise IndexError
            del stack[len(stack) - count :]
            stack.append(items)
        elif name == "TUPLE":
            stack.append(self._to_mark())
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "DICT":
            stack.append(_fill({}, self._to_mark()))
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            _fill(stack[-1], (key, value))
        elif name == "SETITEMS":
            items = self._to_mark()
            _fill(stack[-1], items)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._remember(arg, stack[-1])
        elif name == "MEMOIZE":
            self._remember(len(self._memo), stack[-1])
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            value = self._memo.get(arg, _UNKNOWN)
            if isinstance(value, str):
                self._text(value)
            else:
                stack.append(value)
        elif name == "DUP":
            stack.append(stack[-1])
        elif name in ("EXT1", "EXT2", "EXT4"):
            self._on_import("?.?")  # a number in copyreg's table of the loading process
            stack.append(_UNKNOWN)
        else:
            self._generic(opcode)

    def _call(self, callee: Any, args: Any) -> None:
        self._stack.append(Object(callee.path, args) if isinstance(callee, Name) else _UNKNOWN)
        self.called = True

    def _remember(self, place: int, value: Any) -> None:
        self._memo[place] = value  # unknown ones too: MEMOIZE counts them
        if len(self._memo) > _MOST_MEMO:
            raise OverBudget("it names more values than the scan remembers")

    def _text(self, value: Any) -> None:
        self._stack.append(value)
        if isinstance(value, str):
            self._on_pair(self._last_text, value)
            self._last_text = value
        else:
            self._last_text = ""

    def _import(self, module: Any, attribute: Any) -> Name:
        known = isinstance(module, str) and isinstance(attribute, str) and _MODULE.match(module)
        found = Name(f"{module}.{attribute}" if known else "?.?")
        self._on_import(found.path)
        return found

    def _to_mark(self) -> Any:
        stack = self._stack
        place = len(stack) - 1
        while stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise IndexError
        items = tuple(stack[place + 1 :]) if len(stack) - place <= _KEEP else _UNKNOWN
        del stack[place:]
        return items

    def _generic(self, opcode: Any) -> None:
        before = [kind.name for kind in opcode.stack_before]
        if "mark" in before:
            self._to_mark()
            before = before[: before.index("mark")]
        for _ in before:
            self._stack.pop()
        self._stack.extend(_MARK if kind.name == "mark" else _UNKNOWN for kind in opcode.stack_after)

    def _build(self) -> None:
        state = self._stack.pop()
        built = self._stack[-1]
        if not isinstance(built, Object):
            return
        built.state = state
        if built.path in _WRAPPERS:
            self._skip_array(built)

    def _skip_array(self, wrapper: Object) -> None:
        state = wrapper.state if isinstance(wrapper.state, dict) else {}
        dtype, shape = state.get("dtype"), state.get("shape")
        code = dtype.args[0] if isinstance(dtype, Object) and isinstance(dtype.args, tuple) and dtype.args else None
        if not isinstance(code, str) or not isinstance(shape, tuple) or not all(isinstance(n, int) for n in shape):
            raise Unreadable("it holds an array whose size cannot be told")
        if code.lstrip("|<>=").startswith("O") or _has_objects(dtype):
            Pickle(self._reader, self._on_import, self._on_pair).follow()  # object arrays are a pickle of their own
            return
        size = _item_size(code)
        if isinstance(state.get("numpy_array_alignment_bytes"), int):
            self._reader.skip(self._exactly(1)[0])
        for length in shape:
            size *= length
        self._reader.skip(size)


def _parted(arg: Any) -> tuple[str, ...]:
    """Module and attribute of an opcode that imports."""
    return str(arg).partition(" ")[::2]


def _fill(target: Any, items: Any) -> Any:
    if isinstance(target, dict) and isinstance(items, tuple) and len(target) < _KEEP:
        target.update((key, value) for key, value in zip(items[::2], items[1::2], strict=False) if isinstance(key, str))
    return target


def _item_size(code: str) -> int:
    # Kinds of numpy.dtype.kind but for objects; the number is bytes, for text (U) characters of four bytes.
    match = re.fullmatch(r"[|<>=]?([biufcSaUVmM])(\d+)", code)
    if match is None:
        raise Unreadable(f"it holds an array of type {code!r}, whose size cannot be told")
    return int(match[2]) * (4 if match[1] == "U" else 1)


def _has_objects(dtype: Any) -> bool:
    """Whether a structured type has a field of Python objects; its pickled state nests the fields' types."""
    pending, seen = [dtype], 0
    while pending and seen < _KEEP:
        value = pending.pop()
        seen += 1
        if isinstance(value, Object):
            args = value.args if isinstance(value.args, tuple) else ()
            if args and isinstance(args[0], str) and args[0].lstrip("|<>=").startswith("O"):
                return True
            pending.append(value.state)
        elif isinstance(value, tuple):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
    return False
