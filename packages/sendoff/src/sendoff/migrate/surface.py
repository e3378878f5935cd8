"""What Sendoff answers of SDK v1: names by module, members by class; read off the SDK's own classes.

``names.json`` lists the modules of ``sendoff-azureml`` (a test keeps the two equal), so that nothing of it need be
installed. A member that is refused says so itself: it has the sentence that ``refusing`` gave it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

from ..sdk.unsupported import _StandInType
from ..spec.parse import nearest


@cache
def modules() -> dict[str, dict[str, str]]:
    """``azureml`` modules with their names, each with the module of ours that has it."""
    found: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "names.json").read_text())
    return found


@cache
def shims() -> frozenset[str]:
    """Modules that a scoring worker answers to entry scripts."""
    root = Path(importlib.import_module("sendoff_serving.worker").__path__[0]) / "shims"
    return frozenset(
        ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for file in root.rglob("*.py")
    )


@cache
def shim_names(module: str) -> frozenset[str] | None:
    """Names that a worker's stand-in of a module has; None where a package of the user's may add to it."""
    root = Path(importlib.import_module("sendoff_serving.worker").__path__[0]) / "shims" / module.replace(".", "/")
    file = root / "__init__.py" if root.is_dir() else root.with_suffix(".py")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body):
        return None
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return None if "pkgutil" in found else frozenset(found)


def known_module(name: str) -> bool:
    """Whether a module can be imported: it is one of ours, or above one."""
    return name in modules() or any(one.startswith(f"{name}.") for one in modules())


def find(module: str, name: str) -> Any:
    """What ``from module import name`` gives.

    Raises:
        LookupError: Nothing; the message names what the module has.
    """
    table = modules().get(module, {})
    if name in table:
        return getattr(importlib.import_module(table[name]), name)
    if known_module(f"{module}.{name}"):
        return f"{module}.{name}"
    if name in ("VERSION", "__version__"):
        return str
    close = nearest(name, list(table))
    elsewhere = sorted(other for other, names in modules().items() if name in names)
    hint = f"it is in {elsewhere[0]}" if elsewhere else f"did you mean {close}?" if close else "nothing of that name"
    raise LookupError(hint)


def is_stand_in(thing: Any) -> bool:
    """Whether it only says that it is not supported."""
    return isinstance(thing, _StandInType)


def refusal(cls: Any, member: str) -> str | None:
    """What to use instead, when a member does nothing but refuse; None when it works."""
    found = inspect.getattr_static(cls, member, None)
    function = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    instead: str | None = getattr(function, "instead", None)
    return instead


def has(cls: Any, member: str) -> bool:
    """Whether objects of a class have a member: of the class, announced by it, or set by its code."""
    if hasattr(cls, member) or any(member in vars(base).get("__annotations__", {}) for base in cls.__mro__):
        return True
    return any(member in _set_by(base) for base in cls.__mro__)


def owner_of(cls: Any, member: str) -> Any:
    """The class that has a member: the class itself, or, for what a factory may give, one below it."""
    if is_stand_in(cls) or has(cls, member):
        return cls
    below = list(cls.__subclasses__())
    while below:
        one = below.pop(0)
        if one.__module__.startswith("sendoff.") and has(one, member):
            return one
        below += one.__subclasses__()
    return cls


@cache
def _set_by(cls: type) -> frozenset[str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return frozenset()
    return frozenset(
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
    )


@cache
def parameters(function: Any) -> tuple[frozenset[str], bool] | None:
    """Names that a call may give, and whether it takes others too; None when that cannot be told."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    free = any(one.kind is one.VAR_KEYWORD for one in found)
    return frozenset(one.name for one in found), free


def result_of(function: Any) -> type | None:
    """The class of what a call returns, where its annotation says so."""
    if inspect.isclass(function):
        return function
    text = getattr(inspect.unwrap(function), "__annotations__", {}).get("return") if callable(function) else None
    if not isinstance(text, str):
        return None
    name = text.split("|")[0].strip()
    if name == "Self":
        return None
    for table in modules().values():
        if name in table:
            thing = getattr(importlib.import_module(table[name]), name)
            return thing if inspect.isclass(thing) and not is_stand_in(thing) else None
    return None
