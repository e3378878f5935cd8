"""Python code: imports, calls and attributes of SDK v1, followed through the code's own variables."""

from __future__ import annotations

import ast
import inspect
from typing import Any

from . import meanings, surface
from .findings import MAPPED, RUNS, UNSUPPORTED, Finding

_REQUEST = frozenset({"method", "get_data", "headers", "files", "full_path", "args", "form"})


class Reader(ast.NodeVisitor):
    """Collects findings of one file; a notebook's cells are read one after the other by the same reader."""

    def __init__(self, *, entry_script: bool = False) -> None:
        self.findings: list[Finding] = []
        self.cell: int | None = None
        self._entry_script = entry_script
        self._names: dict[str, Any] = {}
        """What the code's names stand for: a class or function of ours, a module's name, or an instance."""

    def read(self, tree: ast.Module) -> None:
        """Read a file or a cell."""
        self.visit(tree)

    # Imports

    def visit_Import(self, node: ast.Import) -> None:
        """``import azureml.core as x``."""
        for alias in node.names:
            if not _ours(alias.name):
                self._names.pop(alias.asname or alias.name, None)
                continue
            if self._module(node, alias.name):
                top = alias.name if alias.asname else alias.name.partition(".")[0]
                self._names[alias.asname or top] = top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """``from azureml.core import x``."""
        module = node.module or ""
        if module == "sklearn.externals" and any(alias.name == "joblib" for alias in node.names):
            message = meanings.MODULES["sklearn.externals.joblib"]
            self._add(node, "from sklearn.externals import joblib", MAPPED, message)
        if node.level or not _ours(module):
            for alias in node.names:
                self._names.pop(alias.asname or alias.name, None)  # another's name from now on
            return
        if not self._module(node, module):
            return
        for alias in node.names:
            what = f"from {module} import {alias.name}"
            if alias.name == "*":
                for name in surface.modules().get(module, {}):
                    self._names[name] = surface.find(module, name)
                self._add(node, what, RUNS)
                continue
            if self._entry_script and self._in_worker(module, alias.name):
                self._add(node, what, RUNS, "answered by the scoring worker")
                continue
            try:
                thing = surface.find(module, alias.name)
            except LookupError as error:
                if self._entry_script and module in surface.shims():
                    self._add(node, what, UNSUPPORTED, f"the scoring worker has no such name: {error}")
                else:
                    self._add(node, what, UNSUPPORTED, f"no such name: {error}")
                continue
            self._names[alias.asname or alias.name] = thing
            if surface.is_stand_in(thing):
                self._add(node, what, MAPPED, "can be imported; using it is not supported")
            else:
                self._add(node, what, RUNS)

    def _in_worker(self, module: str, name: str) -> bool:
        if f"{module}.{name}" in surface.shims():
            return True
        if module not in surface.shims():
            return False
        names = surface.shim_names(module)
        return names is None or name in names

    def _module(self, node: ast.stmt, name: str) -> bool:
        if surface.known_module(name) or (self._entry_script and name in surface.shims()):
            return True
        if self._entry_script and name.startswith(("azureml.automl", "azureml.train")):
            self._add(node, name, MAPPED, "has to come from the script's own environment: the vendor's package")
        else:
            self._add(node, name, UNSUPPORTED, "no such module here")
        return False

    # Uses

    def visit_Assign(self, node: ast.Assign) -> None:
        """``ws = Workspace.from_config()``: the name stands for an instance from now on."""
        self.generic_visit(node)
        made = self._made_by(node.value)
        for target in node.targets:
            self._bind(target, made)

    def visit_For(self, node: ast.For) -> None:
        """The loop's name stands for nothing that is known."""
        self.visit(node.iter)
        self._bind(node.target, None)
        for child in (*node.body, *node.orelse):
            self.visit(child)

    def _bind(self, target: ast.expr, made: Any) -> None:
        if isinstance(target, ast.Name):
            self._names[target.id] = made
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self._bind(one, None)

    def visit_With(self, node: ast.With) -> None:
        """``with experiment.start_logging() as run:``."""
        for item in node.items:
            self.visit(item.context_expr)
            if isinstance(item.optional_vars, ast.Name):
                self._names[item.optional_vars.id] = self._made_by(item.context_expr)
        for child in node.body:
            self.visit(child)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Parameters hide the names outside; annotations tell what they are."""
        before = dict(self._names)
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            kind = self._value(argument.annotation) if argument.annotation is not None else None
            self._names[argument.arg] = _Instance(kind) if inspect.isclass(kind) else None
        if self._entry_script and node.name == "run":
            self._check_request(node)
        self.generic_visit(node)
        self._names = before

    def visit_Call(self, node: ast.Call) -> None:
        """A call: the parameters it gives."""
        self.generic_visit(node)
        called, name = self._value(node.func), ast.unparse(node.func)
        if called is None or isinstance(called, str | _Instance) or not callable(called):
            return
        if surface.is_stand_in(called):
            self._add(node, name, UNSUPPORTED, called.instead)
            return
        taken = surface.parameters(called)
        given = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
        for parameter in given:
            if taken is not None and parameter not in taken[0] and not taken[1]:
                self._add(node, f"{name}({parameter}=)", UNSUPPORTED, "there is no such parameter")
            elif parameter in meanings.PARAMETERS and name.endswith(("deploy_configuration", "update")):
                self._add(node, f"{name}({parameter}=)", MAPPED, meanings.PARAMETERS[parameter])
        if inspect.isclass(called):
            meaning = meanings.MEMBERS.get(called.__name__)
            self._add(node, name, MAPPED if meaning else RUNS, meaning or "")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """An attribute of a class or of an object of ours."""
        self.generic_visit(node)
        owner = self._value(node.value)
        kind: Any = owner.kind if isinstance(owner, _Instance) else owner
        if not inspect.isclass(kind) or isinstance(node.ctx, ast.Store):
            return
        kind = surface.owner_of(kind, node.attr)
        what = f"{kind.__name__}.{node.attr}"
        if surface.is_stand_in(kind):
            self._add(node, what, UNSUPPORTED, kind.instead)
        elif not surface.has(kind, node.attr):
            if not node.attr.startswith("_"):
                self._add(node, what, UNSUPPORTED, f"{kind.__name__} has no {node.attr}")
        elif (advice := surface.refusal(kind, node.attr)) is not None:
            self._add(node, what, UNSUPPORTED, advice)
        else:
            meaning = _meaning(kind, node.attr)
            self._add(node, what, MAPPED if meaning else RUNS, meaning)

    # What things are

    def _value(self, node: ast.expr | None) -> Any:
        if isinstance(node, ast.Name):
            return self._names.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self._value(node.value)
            if isinstance(owner, str):
                try:
                    return surface.find(owner, node.attr)
                except LookupError:
                    return None
            kind = owner.kind if isinstance(owner, _Instance) else owner
            return getattr(kind, node.attr, None) if inspect.isclass(kind) and not surface.is_stand_in(kind) else None
        if isinstance(node, ast.Call):
            return self._made_by(node)
        return None

    def _made_by(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Call):
            called = self._value(node.func)
            if called is None or isinstance(called, str | _Instance) or surface.is_stand_in(called):
                return None
            kind = surface.result_of(called)
            return _Instance(kind) if kind is not None else None
        return self._value(node)

    def _check_request(self, node: ast.FunctionDef) -> None:
        decorators = {ast.unparse(one.func if isinstance(one, ast.Call) else one) for one in node.decorator_list}
        if not node.args.args or any("rawhttp" in one or "schema" in one for one in decorators):
            return
        first = node.args.args[0].arg
        for inner in ast.walk(node):
            if (
                isinstance(inner, ast.Attribute)
                and isinstance(inner.value, ast.Name)
                and inner.value.id == first
                and inner.attr in _REQUEST
            ):
                self._add(node, "run", UNSUPPORTED, meanings.ENTRY_SCRIPT_NEEDS_RAWHTTP.format(inner.attr))
                return

    def _add(self, node: ast.AST, what: str, verdict: str, message: str = "") -> None:
        line = getattr(node, "lineno", 1)
        finding = Finding(line=line, what=what, verdict=verdict, message=message, cell=self.cell)
        if finding not in self.findings:
            self.findings.append(finding)


class _Instance:
    """An object of a class of ours."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind


def is_entry_script(tree: ast.Module) -> bool:
    """Whether a file has ``init()`` and ``run()`` at its top."""
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return {"init", "run"} <= names


def _meaning(kind: type, member: str) -> str:
    keys = (f"{base.__name__}.{member}" for base in kind.__mro__)
    return next((meanings.MEMBERS[key] for key in keys if key in meanings.MEMBERS), "")


def _ours(module: str) -> bool:
    return module == "azureml" or module.startswith("azureml.")
