"""Strict parsing: data of any origin into a frozen spec, or an error that names the place in it.

Every room parses through :func:`decode`, once, at the edge (style: habit 3 and 4).
"""

from __future__ import annotations

import codecs
import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

import msgspec

from ..errors import InvalidInput

T = TypeVar("T")
_SHOWN, _LONGEST = 40, 200


if TYPE_CHECKING:
    # A type checker asks every subclass of a Struct to repeat frozen and kw_only; this says them once.
    @dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
    class Spec:
        """Base of every spec and view: frozen, keyword-only, strict about unknown keys."""

else:

    class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
        """Base of every spec and view: frozen, keyword-only, strict about unknown keys."""


S = TypeVar("S", bound=Spec)


def replace(spec: S, **changes: Any) -> S:
    """A copy of a spec with some fields changed."""
    return msgspec.structs.replace(spec, **changes)  # type: ignore[type-var]


def decode(data: Any, type_: type[T], *, where: str) -> T:
    """Turn JSON bytes or an already parsed value into a spec.

    Args:
        data: ``bytes`` are parsed as JSON; anything else is taken as parsed JSON or YAML.
        type_: The spec's class.
        where: What the data is called in an error: a file's path, "request body", a flag.

    Raises:
        InvalidInput: Names ``where``, the path within it, what was expected and, for an unknown key, the nearest
            known one.
    """
    try:
        if isinstance(data, bytes | bytearray | memoryview):
            return msgspec.json.decode(data, type=type_)
        return msgspec.convert(data, type=type_)
    except msgspec.ValidationError as error:
        raise _explain(str(error), data, type_, where) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{where} is not valid JSON: {error}", hint="Check the file with any JSON tool.", where=where
        ) from None


def encode(value: Any) -> bytes:
    """A spec, view or plain value as compact JSON bytes."""
    return msgspec.json.encode(value)


def to_builtins(value: Any) -> Any:
    """A spec or view as dicts, lists, strings and numbers."""
    return msgspec.to_builtins(value)


def read_file(path: Path | str, what: str = "file") -> Any:
    """Read a JSON or YAML file into plain values.

    Raises:
        InvalidInput: The file is missing, unreadable, not UTF-8 or malformed; the message names it and the line.
    """
    return parse_text(read_text(Path(path), what), str(path), what)


def read_text(path: Path, what: str, *, strip_bom: bool = True) -> str:
    """A file's text: UTF-8, or UTF-16 and UTF-32 with the mark at the start by which they are known.

    Args:
        path: The file.
        what: What it is called in an error.
        strip_bom: Leaves out the mark that some editors write before UTF-8.

    Raises:
        InvalidInput: The file is missing, unreadable or no such text.
    """
    try:
        return text_of(path.read_bytes(), strip_bom=strip_bom)
    except FileNotFoundError:
        raise InvalidInput(
            f"{what} {path} does not exist", hint=f"Looked in {Path.cwd()}.", where=str(path), missing=str(path)
        ) from None
    except IsADirectoryError:
        raise InvalidInput(f"{what} {path} is a folder; a file is needed", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what} {path} is not UTF-8 text (byte {error.start})", where=str(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"{what} {path} cannot be read: {reason}", where=str(path)) from None


_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, which it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Windows PowerShell's ``>`` writes UTF-16."""
MARKS = tuple(mark for mark, _ in _MARKS)


def text_of(data: bytes, *, strip_bom: bool = True) -> str:
    """Bytes as text: by the mark of UTF-16 or UTF-32, else UTF-8, whose own mark is left out too.

    Raises:
        UnicodeDecodeError: They are no such text.
    """
    utf_8 = "utf-8-sig" if strip_bom else "utf-8"
    return data.decode(next((encoding for mark, encoding in _MARKS if data.startswith(mark)), utf_8))


def parse_text(text: str, where: str, what: str = "file") -> Any:
    """Parse JSON or YAML text; JSON first, since YAML reads most of it but words its errors worse.

    Raises:
        InvalidInput: It is neither, or beyond what such a file may be: nested too deep, a number without end, aliases
            that would make a small file a large value. The message names the place.
    """
    named_json = where.lower().endswith(".json")
    # YAML in a .json file is read; what begins with JavaScript's comments is told of JSON.
    if text.lstrip()[:1] in ("{", "[") or (named_json and text.lstrip()[:2] in ("//", "/*")):
        try:
            return json.loads(text, object_pairs_hook=_object)
        except _Twice as error:
            raise InvalidInput(
                f"{what} {where} is not valid: the key {str(error)!r} is there twice; only one can be meant",
                hint="Remove one of the two.",
                where=where,
                field=str(error),
            ) from None
        except json.JSONDecodeError as error:
            if named_json:
                raise _no_json(text, where, what, error) from None
        except RecursionError:
            raise InvalidInput(f"{what} {where} is nested too deep", where=where) from None
        except ValueError:  # Python's bound on the digits of a number
            raise InvalidInput(f"{what} {where} holds a number of too many digits", where=where) from None
    import yaml  # heavy for the many calls that never read YAML

    from . import yaml_text

    try:
        return yaml_text.load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        problem = getattr(error, "problem", None) or str(error)
        at = f" at line {line}, column {mark.column + 1}" if mark is not None else ""
        hint = "YAML is indented with spaces; replace the tab." if "'\\t'" in problem else ""
        message = f"{what} {where} is not valid YAML: {problem}{at}"
        raise InvalidInput(message, hint=hint, where=where, line=line) from None


class _Twice(Exception):
    """A key that stands twice in one object."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Twice(name)
            seen.add(name)
    return found


def _no_json(text: str, where: str, what: str, error: json.JSONDecodeError) -> InvalidInput:
    """The error for text of a ``.json`` file, with a hint at what JavaScript allows and JSON does not."""
    before = text[: error.pos].rstrip()
    hint = ""
    if text[error.pos :].lstrip().startswith(("//", "/*", "#")):
        hint = "JSON has no comments: take them out, or name the file .yml and begin comments with '#'."
    elif before.endswith(",") or error.msg.startswith("Illegal trailing comma"):
        hint = "In JSON no comma stands behind the last entry: take it out."
    elif text[error.pos :].startswith("'"):
        hint = "JSON writes texts and keys in double quotes."
    return InvalidInput(
        f"{what} {where} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}",
        hint=hint,
        where=where,
        line=error.lineno,
    )


def not_a_mapping(data: Any, *, where: str, expected: str = "a mapping", at: str = "", hint: str = "") -> InvalidInput:
    """The error for data that is no mapping: says what is there, in the words of JSON and YAML.

    Args:
        data: What was parsed.
        where: What the data is called: a file's path.
        expected: What it should be.
        at: The path within the data; empty for the whole of it.
        hint: What to write.
    """
    place = f"{where}: {at}" if at else where
    empty = data is None or data in ("", [])
    found = f"is empty{'' if data == '' else f' ({in_words(data)})'}" if empty else f"holds {in_words(data)}"
    return InvalidInput(
        f"{place} {found}; {expected} was expected", hint=hint, where=where, field=at, expected=expected
    )


def shown(value: Any) -> str:
    """A value as an error repeats it: in full where it is short and plain, else what it is."""
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return repr(value) if plain and len(str(value)) <= _LONGEST else in_words(value)


def in_words(value: Any) -> str:
    """What a parsed value is, in the words of JSON and YAML: ``null``, ``true``, ``a list``, ``the text 'x'``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value!r}"
    if isinstance(value, str):
        return f"the text {value if len(value) <= _SHOWN else value[:_SHOWN] + '…'!r}"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple | set):
        return "a list" if value else "an empty list"
    return f"the {type(value).__name__} {value}"  # YAML's dates and times


def nearest(name: str, known: list[str] | tuple[str, ...]) -> str | None:
    """The known name closest to a mistyped one, or None when none is close."""
    folded = {k.lower().replace("-", "_"): k for k in known}
    hit = difflib.get_close_matches(name.lower().replace("-", "_"), list(folded), n=1, cutoff=0.6)
    return folded[hit[0]] if hit else None


def did_you_mean(name: str, known: list[str] | tuple[str, ...], otherwise: str) -> str:
    """The hint for a name that is not known: the closest one, or ``otherwise`` where none is close."""
    close = nearest(name, known)
    return f"Did you mean {close!r}?" if close else otherwise


def not_known(value: str, known: list[str] | tuple[str, ...], what: str, **context: Any) -> InvalidInput:
    """The error for a value that is none of the known ones; ``what`` names it, ``context`` goes into the error."""
    hint = did_you_mean(value, known, f"Known: {', '.join(known)}.")
    return InvalidInput(f"{what} {value!r} is not known", hint=hint, **context)


def broken(where: str, field: str, rule: str, got: Any) -> InvalidInput:
    """The error for a value that does not keep a rule, which follows the field's name in a sentence."""
    return InvalidInput(f"{where}: {field} {rule}; got {got!r}", where=where, field=field, expected=rule)


def check_rules(spec: Spec, rules: Iterable[tuple[str, bool, str]], *, where: str, prefix: str = "") -> None:
    """Refuse a spec of which a field does not keep its rule.

    Args:
        spec: What is looked at.
        rules: Field, whether it is good, and the rule.
        where: What the spec is called in an error.
        prefix: The path to the field.

    Raises:
        InvalidInput: Names the first such field, its rule and what was given.
    """
    for field, good, rule in rules:
        if not good:
            raise broken(where, prefix + field, rule, getattr(spec, field))


_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`(?: - at `(?P<at>[^`]*)`)?")
_AT = re.compile(r" - at `(?:key in )?(?P<at>\$[^`]*)`$")


def _explain(text: str, data: Any, type_: Any, where: str) -> InvalidInput:
    unknown = _UNKNOWN.match(text)
    if unknown:
        path = (unknown["at"] or "$").removeprefix("$").lstrip(".")
        known = sorted(_fields_at(type_, path))
        hint = did_you_mean(unknown["name"], known, f"Known keys: {', '.join(known)}." if known else "")
        inside = f" in {path}" if path else ""
        return InvalidInput(
            f"{where}: unknown key {unknown['name']!r}{inside}", hint=hint, where=where, field=unknown["name"]
        )
    at = _AT.search(text)
    field = at["at"].removeprefix("$").lstrip(".") if at else ""
    sentence = text[: at.start()] if at else text
    sentence = sentence[:1].lower() + sentence[1:]
    return InvalidInput(f"{where}: {field + ': ' if field else ''}{sentence}", where=where, field=field)


def _fields_at(type_: Any, path: str) -> set[str]:
    """Field names of the struct that sits at ``path`` (``a.b[...]``) within ``type_``; all structs of a union."""
    parts = [p for p in re.split(r"\.|\[\.\.\.\]|\[\d+\]", path) if p]
    types = list(_structs(type_))
    for part in parts:
        types = [
            inner
            for t in types
            for f in msgspec.structs.fields(t)
            if f.encode_name == part
            for inner in _structs(f.type)
        ] or types
    return {f.encode_name for t in types for f in msgspec.structs.fields(t)}


def _structs(type_: Any) -> Iterator[Any]:
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        yield type_
    for arg in getattr(type_, "__args__", ()):
        yield from _structs(arg)
