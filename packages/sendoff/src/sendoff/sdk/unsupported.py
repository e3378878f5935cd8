"""What SDK v1 had and Sendoff has not: one class says which feature, and what to use instead.

Every name that scripts import is there, so that a script which only imports it, or takes another branch, goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NoReturn, TypeVar

from ..errors import NotSupported
from .exceptions import AzureMLException, UserErrorException
from .signatures import defined

C = TypeVar("C", bound=type)
INSTEAD = "docs/azureml.md lists what is there and what to use instead."


class FeatureNotSupported(UserErrorException, NotSupported, NotImplementedError):
    """A feature of SDK v1 that Sendoff does not have; ``feature`` names it, the text says what to use instead."""

    def __init__(self, feature: str, instead: str = "") -> None:
        super().__init__(f"{feature} is not supported by Sendoff", hint=instead or INSTEAD, feature=feature)
        self.feature = feature


def refuse(feature: str, instead: str = "", also: type[AzureMLException] | None = None) -> NoReturn:
    """Raise `FeatureNotSupported`; it is caught as ``also`` too, which is what the feature's other failures raise."""
    kind: Any = FeatureNotSupported
    if also is not None:
        kind = type(kind.__name__, (kind, also), {"__module__": __name__})
    raise kind(feature, instead)


class _StandInType(type):
    """Importing, subclassing and `isinstance` work; making an object, or asking for a member, says what is missing."""

    feature: str
    instead: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise FeatureNotSupported(cls.feature, cls.instead)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise FeatureNotSupported(f"{cls.feature}.{name}", cls.instead)


def stand_in(name: str, instead: str = "") -> Any:
    """A class of that name that cannot be used.

    Args:
        name: The class's name in SDK v1.
        instead: What to use, as a sentence.
    """
    members = {"feature": name, "instead": instead, "__doc__": f"Not supported. {instead}", "__module__": __name__}
    return _StandInType(name, (), members)


def refusing(of: str, members: Mapping[str, str], also: type[AzureMLException] | None = None) -> Callable[[C], C]:
    """A class decorator: members that SDK v1's class has and that say here, when they are used, what to use instead.

    They are real functions and properties, so that Python itself checks calls of them, and `inspect.signature` gives
    what SDK v1's gave. A member's sentence is its attribute ``instead``, which ``sendoff migrate check`` reads.

    Args:
        of: SDK v1's name of the class, as a refusal names it; empty for the name of the object's own class.
        members: What to use instead -> the members of which that is said. A signature as Python writes it without
            ``def``, which may go over several lines, is a method with ``self`` as its first parameter, a class method
            with ``cls`` and a static method otherwise; a name without parentheses is a property.
        also: What a refusal is caught as too: the class that the other members raise.
    """
    refused = partial(refuse, also=also)

    def decorated(cls: C) -> C:
        for instead, signatures in members.items():
            for signature in _signatures(signatures):
                name, function = _refuser(of, signature, instead, cls, refused)
                if name in vars(cls):
                    raise TypeError(f"{cls.__qualname__}.{name} is there already")
                setattr(cls, name, function)
        return cls

    return decorated


def _signatures(text: str) -> Iterator[str]:
    whole = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        whole = f"{whole} {line}".strip()
        if whole.count("(") == whole.count(")"):
            yield whole
            whole = ""


def _refuser(of: str, signature: str, instead: str, cls: type, refused: Callable[..., NoReturn]) -> tuple[str, Any]:
    name, bracket, parameters = signature.partition("(")
    if not bracket:
        name, _, result = signature.partition(" -> ")
        signature = f"{name}(self) -> {result or 'Any'}"
    first = parameters.partition(",")[0].partition(")")[0]
    feature = repr(f"{of}.{name}".removesuffix(".__init__")) if of else f"type(self).__name__ + {f'.{name}'!r}"
    function = defined(signature, f"refuse({feature}, {instead!r})", cls.__module__, refuse=refused)
    function.__qualname__ = f"{cls.__qualname__}.{name}"
    function.__doc__ = f"Not here. {instead}\n\nRaises:\n    FeatureNotSupported: Always."
    function.instead = instead
    if not bracket:
        return name, property(function)
    return name, function if first == "self" else (classmethod if first == "cls" else staticmethod)(function)
