"""Functions whose parameters are data: those of SDK v1 are long lists that several functions share.

They are compiled as a named tuple's are, not taken as ``*args, **kwargs``: what `inspect.signature` shows is real, and
a wrong call is refused in Python's own words, with the nearest name.
"""

from __future__ import annotations
import __future__

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def defined(signature: str, body: str, module: str, **names: Any) -> Any:
    """The function of a signature, as Python writes it without ``def``, whose body is one expression or a return.

    Args:
        signature: Such as ``run(self, input_data, timeout=None)``.
        body: What it does; may use the parameters and ``names``.
        module: Where it says that it is from.
        **names: What the body needs.
    """
    name = signature.partition("(")[0]
    place: dict[str, Any] = {**names, "__name__": module}
    code = compile(f"def {signature}: {body}", f"<{module}.{name}>", "exec", __future__.annotations.compiler_flag, True)
    exec(code, place)
    return place[name]


def parameters(of: Callable[..., Any], without: str = "", behind: Mapping[str, str] | None = None) -> str:
    """The parameters of a function or class, as a signature's text.

    Args:
        of: The function or class.
        without: Names that are left out.
        behind: A name -> further parameters, as text, that come behind it.
    """
    found = []
    for name, one in inspect.signature(of).parameters.items():
        if name not in without.split():
            said = name if one.annotation is one.empty else f"{name}: {one.annotation}"
            found.append(said if one.default is one.empty else f"{said} = {one.default!r}")
        if behind and name in behind:
            found.append(behind[name])
    return ", ".join(found)


def taking(parameters: str) -> Callable[[F], F]:
    """Give a function of keyword arguments alone a real signature; every parameter arrives as a keyword."""

    def decorated(function: F) -> F:
        made = defined(
            f"{function.__name__}({parameters})", "return call(**locals())", function.__module__, call=function
        )
        made.__qualname__, made.__doc__ = function.__qualname__, function.__doc__
        made.__annotations__["return"] = function.__annotations__["return"]
        found: F = made
        return found

    return decorated


def making(cls: Callable[P, T]) -> Callable[[Callable[[], None]], Callable[P, T]]:
    """Let a function, of which there is only a docstring, make an object of a class with that class's parameters."""

    def decorated(stub: Callable[[], None]) -> Callable[P, T]:
        def make(**given: Any) -> Any:
            return cls(**given)  # type: ignore[call-arg]

        make.__name__, make.__qualname__, make.__module__ = stub.__name__, stub.__qualname__, stub.__module__
        make.__doc__ = stub.__doc__
        make.__annotations__ = {"return": cls.__name__}
        made: Any = taking(parameters(cls))(make)
        return made  # type: ignore[no-any-return]

    return decorated
