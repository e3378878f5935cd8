"""The entry script: loaded as a module, checked, and told apart into the three shapes of run()."""

import importlib
import importlib.util
import inspect
import os
import sys
from types import ModuleType
from typing import Any, Dict, List, Optional

from . import described, http_request, multi_model, packages_of_scripts, schema, signature
from .collection import collection

# Where the script is, for the processes that it starts (shims/entry_module.py).
VARIABLE = "SENDOFF_ENTRY_MODULE"

STRING, SCHEMA, RAW = "string", "schema", "raw"

# The article's CORS sample lacks the decorator (settled.md): told when run() fails on a request's attribute.
RAWHTTP_HINT = (
    "run() was given the request body as text. If it should receive the HTTP request, add the line @rawhttp above "
    "def run (from azureml.contrib.services.aml_request import rawhttp)"
)


class ScriptError(Exception):
    """The entry script does not keep the contract of spec/behaviour.md sec. 4; the message says how."""


def load(path: str) -> ModuleType:
    """Execute the script as module ``entry_module`` and return it.

    Args:
        path: the script file.

    Raises:
        ScriptError: the file is not there.
        BaseException: whatever the script raises.
    """
    if not os.path.isfile(path):
        raise ScriptError("No score script found at %s" % path)
    spec: Any = importlib.util.spec_from_file_location("entry_module", path)
    if spec is None or spec.loader is None:
        raise ScriptError("The score script %s is not a Python file" % path)
    package = packages_of_scripts.package_of(path)
    if package is not None:
        placed = packages_of_scripts.ScriptSpec(spec.name, spec.loader, origin=path)
        placed.package, placed.has_location = package, True
        spec = placed
    module = importlib.util.module_from_spec(spec)
    os.environ[VARIABLE] = os.path.abspath(path)
    # A script that reads options at import gets its own defaults, not what this worker was started with.
    sys.argv[:] = [path]
    sys.modules["entry_module"] = module
    _stand_for_main()
    spec.loader.exec_module(module)
    return module


class _Main(ModuleType):
    """What is looked for in ``__main__``: what is there, else what the script defines.

    A pickle made by a training script names the classes and functions of that script ``__main__.NAME``. Score scripts
    repeat them for that reason, and where one is run as a program they are there.
    """

    def __getattr__(self, name: str) -> Any:
        script = sys.modules.get("entry_module")
        if script is None or (name.startswith("__") and name.endswith("__")) or name not in vars(script):
            raise AttributeError("module '__main__' has no attribute %r" % name)
        return vars(script)[name]


def _stand_for_main() -> None:
    main = sys.modules.get("__main__")
    if type(main) is ModuleType:
        main.__class__ = _Main


def load_main() -> ModuleType:
    """Import ``main`` from the path, which is what runs when no script is named."""
    sys.argv[:] = ["main.py"]
    try:
        return importlib.import_module("main")
    except ImportError as error:
        if error.name != "main":
            raise
        raise ScriptError("No score script found. Expected score script main.py.") from None


class EntryScript:
    """A checked entry script.

    Args:
        module: the loaded module. A ``driver_module`` in it that has a ``run`` supplies run()
            (spec/scoring-server.md sec. 3).

    Attributes:
        init: the function called once; run: the function called for each request.
        shape: ``STRING``, ``SCHEMA`` or ``RAW``.
        parameters: names of run()'s parameters, without ``request_headers``.
        required: those of them that have no default.
        defaults: values for decorated parameters that a request leaves out.
        wants_headers: whether run() has a parameter ``request_headers``.
        init_model: loads one model by name, where the script defines it; run() then has a parameter ``model``.
        describe: says what a raw script takes and gives (``described.py``), where the script defines it.
        infer: takes the tensors of the Open Inference Protocol, where a raw script defines it.
        tensors: its inputs and outputs as that protocol describes them, once ``description`` was asked for; or None.

    Raises:
        ScriptError: init() or run() is missing, or run() has parameters that cannot be filled.
    """

    def __init__(self, module: ModuleType) -> None:
        inner = getattr(module, "driver_module", None)
        source = inner if isinstance(inner, ModuleType) and hasattr(inner, "run") else module
        for owner, name in ((module, "init"), (source, "run")):
            if not callable(getattr(owner, name, None)):
                raise ScriptError("The score script has no function %s()" % name)
        self.init: Any = module.init
        self.run: Any = source.run
        self.init_model: Any = getattr(source, "init_model", None) or getattr(module, "init_model", None)
        if not callable(self.init_model) or "model" not in inspect.signature(self.run).parameters:
            self.init_model = None  # a function of the script's own that happens to be called so
        self._read_parameters()
        decorated = schema.is_decorated(self.run)
        raw = http_request.is_raw()
        if raw and decorated:
            raise ScriptError("run() cannot be decorated with both @rawhttp and @input_schema")
        self.shape = RAW if raw else SCHEMA if decorated else STRING
        self.describe: Any = getattr(module, described.DESCRIBE, None) if raw else None
        self.infer: Any = getattr(module, described.INFER, None) if raw else None
        self.tensors: Optional[Dict[str, Any]] = None
        if decorated:
            self._read_defaults()
        if self.shape != SCHEMA and len(self.required) > 1:
            raise ScriptError(
                "run() has %d parameters without a default (%s) but receives one value; "
                "use @input_schema for more" % (len(self.required), ", ".join(self.required))
            )

    def _read_parameters(self) -> None:
        self.parameters: List[str] = []
        self.defaults: Dict[str, Any] = {}
        self.required: List[str] = []
        self.wants_headers = False
        for parameter in inspect.signature(self.run).parameters.values():
            if parameter.kind == parameter.VAR_POSITIONAL:
                raise ScriptError("run() must not take *%s" % parameter.name)
            if parameter.kind == parameter.VAR_KEYWORD:
                raise ScriptError("run() must not take **%s" % parameter.name)
            if parameter.kind == parameter.POSITIONAL_ONLY:
                raise ScriptError("run() must not take positional-only parameters (%s)" % parameter.name)
            if parameter.name == "request_headers":
                self.wants_headers = True
                continue
            if parameter.name == "model" and self.init_model is not None:
                continue
            self.parameters.append(parameter.name)
            if parameter.default is parameter.empty:
                self.required.append(parameter.name)
        if not self.parameters:
            raise ScriptError("run() must take at least one parameter other than request_headers")

    def _read_defaults(self) -> None:
        """Note the defaults that inference-schema's wrapper must be given; left out, it fails on them."""
        signature = inspect.signature(self.run)
        for name, kind in schema.parameter_types(self.run, optional=False).items():
            if name in self.parameters and name not in self.required:
                default = signature.parameters[name].default
                if isinstance(default, kind.sample_data_type):
                    self.defaults[name] = default
                else:
                    self.required.append(name)

    @property
    def input_parameter(self) -> str:
        """The parameter that receives the text or the request, in the shapes that have only one."""
        return self.required[0] if self.required else self.parameters[0]

    def description(self, initialised: bool = False) -> Dict[str, Any]:
        """What the front must know: the JSON of a READY frame.

        Args:
            initialised: whether init() has returned, so that the script can say what it has loaded.
        """
        recorded = schema.document(self.run) if self.shape == SCHEMA else _output_only(self.run)
        found: Dict[str, Any] = {
            "shape": self.shape,
            "parameters": self.parameters,
            "required": self.required,
            "needs_request": self.shape == RAW or self.wants_headers or self.init_model is not None,
            "models": None if self.init_model is None else multi_model.deployed(),
            "schema": recorded,
            "collectors": collection.made,
            "tensors": signature.describe(
                self.run, self.shape, self.parameters, self.input_parameter, recorded and recorded["output"]
            ),
        }
        if initialised and callable(self.describe):
            found.update(described.members(self.describe(), callable(self.infer)))
        self.tensors = found["tensors"]
        return found


def _output_only(run: Any) -> Optional[Dict[str, Any]]:
    found = schema.document(run)
    if found is None or found["output"] == {"type": "object"}:
        return None
    return {"input": None, "output": found["output"], "versions": found["versions"]}
