"""The mappings of a request and a response: header names without case, names with several values, missing names."""

from collections.abc import MutableMapping
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

Pairs = Iterable[Tuple[str, str]]


class BadRequest(ValueError):
    """The request is not what the script asks of it; answered with 400.

    Its text is the one that scripts know from Flask, since many of them answer ``str(error)``. What is wrong stands
    in ``reason``, which is what the answer says when the script lets the exception pass.

    Args:
        reason: what is wrong with the request.
    """

    code = 400
    name = "Bad Request"
    description = "The browser (or proxy) sent a request that this server could not understand."

    def __init__(self, reason: str) -> None:
        ValueError.__init__(self, reason)
        self.reason = reason

    def __str__(self) -> str:
        return "%d %s: %s" % (self.code, self.name, self.description)


class BadRequestKeyError(BadRequest, KeyError):
    """The request has no value of the name that the script asked for; a KeyError too, as in Flask."""


def header_text(value: Any) -> str:
    """Return a header's value as text; bytes are decoded as HTTP does."""
    return bytes(value).decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)


def _get(self: Any, key: str, default: Any = None, type: Optional[Any] = None) -> Any:  # noqa: A002
    """Return the first value, converted by ``type``; the default where it is missing or cannot be converted."""
    if key not in self:
        return default
    try:
        return self[key] if type is None else type(self[key])
    except (ValueError, TypeError):
        return default


class Headers(MutableMapping):  # type: ignore[type-arg]
    """HTTP headers in their order; a name may be there more than once and is found in any case.

    Iterating gives pairs of name and value, not names, as scripts know it from Flask's headers; ``keys()`` gives
    the names, so ``dict(headers)`` is what one expects.

    Args:
        given: a mapping, or pairs of name and value.
    """

    def __init__(self, given: Union[Pairs, Dict[str, str], None] = None) -> None:
        self._pairs: List[Tuple[str, str]] = []
        if given is not None:
            self.extend(given)

    def __getitem__(self, name: str) -> str:
        values = self.getlist(name)
        if not values:
            raise KeyError(name)
        return values[0]

    def __setitem__(self, name: str, value: Any) -> None:
        names = [known.lower() for known in self.keys()]
        at = names.index(name.lower()) if name.lower() in names else len(names)
        del self[name]
        self._pairs.insert(at, (name, header_text(value)))

    def __delitem__(self, name: str) -> None:
        wanted = name.lower()
        self._pairs = [pair for pair in self._pairs if pair[0].lower() != wanted]

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._pairs))

    def keys(self) -> Any:
        """Return the names, in their order."""
        return [name for name, _ in self._pairs]

    def values(self) -> Any:
        """Return the values, in their order."""
        return [value for _, value in self._pairs]

    def clear(self) -> None:
        """Remove every header."""
        self._pairs = []

    def popitem(self) -> Tuple[str, str]:
        """Remove the last header and return it."""
        return self._pairs.pop()

    def __len__(self) -> int:
        return len(self._pairs)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.getlist(name))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return sorted((k.lower(), v) for k, v in self._pairs) == sorted((k.lower(), v) for k, v in other._pairs)

    __hash__ = None  # type: ignore[assignment]

    get = _get

    def has_key(self, name: str) -> bool:
        """Whether the header is there; a spelling that scripts of 2020 use."""
        return name in self

    def add(self, name: str, value: Any) -> None:
        """Add a header beside those of the same name."""
        self._pairs.append((name, header_text(value)))

    def set(self, name: str, value: Any) -> None:
        """Replace every header of this name by one."""
        self[name] = value

    def extend(self, given: Union[Pairs, Dict[str, str]]) -> None:
        """Add every header of a mapping or of pairs."""
        items = given.items() if hasattr(given, "items") else given
        for name, value in items:
            for single in value if isinstance(value, (list, tuple)) else [value]:
                self.add(name, single)

    def getlist(self, name: str) -> List[str]:
        """Return the values of every header of this name."""
        wanted = name.lower()
        return [value for known, value in self._pairs if known.lower() == wanted]

    get_all = getlist

    def items(self) -> Any:
        return list(self._pairs)

    def __repr__(self) -> str:
        return "Headers(%r)" % (self._pairs,)

    def __str__(self) -> str:
        """Return the headers as they stand in a request: what ``print(request.headers)`` shows."""
        return "".join("%s: %s\r\n" % pair for pair in self._pairs) + "\r\n"


class Content:
    """What the headers of a request, a response or an uploaded file say of its content."""

    headers: Headers

    @property
    def content_type(self) -> Any:
        """The type that is stated; None where none is."""
        return self.headers.get("Content-Type")

    @content_type.setter
    def content_type(self, value: str) -> None:
        self.headers["Content-Type"] = value

    @property
    def mimetype(self) -> str:
        """The type alone, in lower case; "" for none."""
        return (self.content_type or "").partition(";")[0].strip().lower()

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        text = value.startswith("text/") and "charset" not in value
        self.content_type = value + ("; charset=utf-8" if text else "")

    @property
    def is_json(self) -> bool:
        kind = self.mimetype
        return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


class MultiDict(Dict[str, Any]):
    """A dict of the first value of each name; ``getlist`` gives them all.

    A name that is missing is the caller's mistake: the exception is answered 400 if the script lets it pass.

    Args:
        pairs: name and value, in the order of the request.
        kind: what the values are, for the message about a name that is missing.
    """

    def __init__(self, pairs: Iterable[Tuple[str, Any]] = (), kind: str = "value") -> None:
        self._pairs = list(pairs)
        self._kind = kind
        dict.__init__(self)
        for name, value in self._pairs:
            self.setdefault(name, value)

    get = _get

    def __missing__(self, name: Any) -> Any:
        raise BadRequestKeyError("The request has no %s %r" % (self._kind, name))

    def items(self, multi: bool = False) -> Any:
        """Return pairs of name and first value, or every pair of the request when ``multi``."""
        return iter(list(self._pairs)) if multi else dict.items(self)

    def copy(self) -> "MultiDict":
        """Return a copy with every value of each name."""
        return MultiDict(self._pairs, self._kind)

    def __repr__(self) -> str:
        return "ImmutableMultiDict(%r)" % (self._pairs,)

    def getlist(self, name: str) -> List[Any]:
        """Return every value of a name."""
        return [value for known, value in self._pairs if known == name]

    def lists(self) -> List[Tuple[str, List[Any]]]:
        """Return each name with all its values."""
        return [(name, self.getlist(name)) for name in self]

    def to_dict(self, flat: bool = True) -> Dict[str, Any]:
        """Return a plain dict of first values, or of lists of values when not ``flat``."""
        return dict(self) if flat else dict(self.lists())
