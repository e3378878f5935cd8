"""What SDK v1 had and Sendoff has not: one class says which feature, and what to use instead.

Every name that scripts import is there, so that a script which only imports it, or takes another branch, goes on.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ..errors import NotSupported
from .exceptions import UserErrorException

INSTEAD = "docs/azureml.md lists what is there and what to use instead."


class FeatureNotSupported(UserErrorException, NotSupported, NotImplementedError):
    """A feature of SDK v1 that Sendoff does not have; ``feature`` names it, the text says what to use instead."""

    def __init__(self, feature: str, instead: str = "") -> None:
        super().__init__(f"{feature} is not supported by Sendoff", hint=instead or INSTEAD, feature=feature)
        self.feature = feature


def refuse(feature: str, instead: str = "") -> NoReturn:
    """Raise `FeatureNotSupported`."""
    raise FeatureNotSupported(feature, instead)


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
