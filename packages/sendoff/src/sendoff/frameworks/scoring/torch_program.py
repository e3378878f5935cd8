"""PyTorch: programs of torch.export and of TorchScript; a module's weights alone are no program."""

import json
import sys
import zipfile
from typing import Any, Dict, List, Optional

import numpy as np
import torch

from . import tensors
from .application import bad_input, cpu_share

_NUMPY = {
    name: np.dtype(name)
    for name in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
}
"""The kinds that numpy and PyTorch both know, by name."""


def load(config: Dict[str, Any], path: str) -> "Program":
    """Load a program with as many threads as the service has cores."""
    torch.set_num_threads(cpu_share(config))
    named = [name.rpartition("/")[2] for name in _names(path)]
    if any(name.endswith("serialized_exported_program.json") for name in named) or "archive_format" in named:
        exported = torch.export.load(path)
        return Program(exported.module(), _of_export(exported), "torch.export program on PyTorch " + torch.__version__)
    if "constants.pkl" in named or "version" in named:
        try:
            module = torch.jit.load(path, map_location="cpu")
        except RuntimeError as error:
            raise ValueError(
                "%s is neither a program of torch.export nor TorchScript: weights or a pickled module cannot be "
                "served; write it with torch.export.save(torch.export.export(module, args), 'model.pt2') (%s)"
                % (path, str(error).splitlines()[0])
            )
        return Program(module.eval(), _of_script(module), "TorchScript on PyTorch " + torch.__version__)
    raise ValueError("%s is no archive of torch.export or TorchScript" % path)


def _names(path: str) -> List[str]:
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


class _Input:
    """One tensor that a program takes; what is not known is None, a size of any length -1."""

    def __init__(self, name: str, dtype: Any = None, shape: Optional[List[int]] = None, guessed: bool = False) -> None:
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.guessed = guessed  # TorchScript does not say whether it wants floats


def _of_export(exported: Any) -> List[_Input]:
    found = []
    values = {node.name: node.meta.get("val") for node in exported.graph.nodes if node.op == "placeholder"}
    for name in exported.graph_signature.user_inputs:
        value: Any = values.get(name)
        if hasattr(value, "shape"):
            shape = [size if isinstance(size, int) else -1 for size in value.shape]
            found.append(_Input(str(name), value.dtype, shape))
        else:
            found.append(_Input(str(name)))
    return found


def _of_script(module: Any) -> List[_Input]:
    arguments = [one for one in module.forward.schema.arguments if one.name != "self"]
    first = next((value.dtype for value in module.parameters() if value.dtype.is_floating_point), torch.float32)
    return [
        _Input(one.name, first, guessed=True)
        for one in arguments
        if "Tensor" in str(one.type) and not one.has_default_value()
    ]


class Program:
    """Scores with one program.

    Args:
        module: what is called with tensors.
        inputs: the tensors that it takes, in order.
        title: what the log calls it.
    """

    hint = 'send {"data": …} for a program of one input, or {"inputs": {name: …}}'

    def __init__(self, module: Any, inputs: List[_Input], title: str) -> None:
        self.title = title
        self._module = module
        self._inputs = inputs
        self._names = [one.name for one in inputs]

    def score(self, payload: Any, request: Any) -> Any:
        """Answer nested lists with nested lists."""
        given = tensors.given(payload, self.hint)
        if isinstance(given, dict):
            return tensors.listed(self.call({str(name): value for name, value in given.items()}))
        if len(self._inputs) != 1:
            raise bad_input("The program has %d inputs: name them" % len(self._inputs), hint=", ".join(self._names))
        return tensors.listed(self.call({self._names[0]: given}))

    def call(self, given: Dict[str, Any]) -> Any:
        """Call the program with nested lists by name.

        Raises:
            Refusal: they are not what it takes.
        """
        unknown = [name for name in given if name not in self._names]
        missing = [name for name in self._names if name not in given]
        if unknown or missing:
            what = "There is no input %s" % ", ".join(unknown) if unknown else "The input %s is missing" % missing[0]
            raise bad_input(what, hint="there is " + ", ".join(self._names))
        values = [self._tensor(one, given[one.name]) for one in self._inputs]
        try:
            with torch.inference_mode():
                try:
                    return self._module(*values)
                except RuntimeError:
                    whole = [_whole(one, tensor) for one, tensor in zip(self._inputs, values)]
                    if all(one is other for one, other in zip(whole, values)):
                        raise
                    return self._module(*whole)
        except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            text = lines[-1] if lines else type(error).__name__
            raise bad_input("The program refuses the input: %s" % text[:500]) from error

    def _tensor(self, known: _Input, value: Any) -> Any:
        try:
            made = np.asarray(value)
            made = tensors.cast(made, _NUMPY.get(str(known.dtype).replace("torch.", ""), made.dtype))
            tensor = torch.from_numpy(np.ascontiguousarray(made))
            if known.dtype is not None:
                tensor = tensor.to(known.dtype)
        except (TypeError, ValueError, OverflowError, RuntimeError) as error:
            raise bad_input("The input %s cannot be made into a tensor: %s" % (known.name, error)) from error
        if known.shape is not None:
            if tensor.dim() == len(known.shape) - 1:
                tensor = tensor.unsqueeze(0)  # one row of a batch
            tensors.check_shape(known.name, list(tensor.shape), known.shape)
        return tensor

    def describe(self) -> Dict[str, Any]:
        """Return what the program takes."""
        single = len(self._inputs) == 1
        schemas = {one.name: _schema(one) for one in self._inputs}
        inputs: Dict[str, Any] = {"type": "object", "properties": schemas, "required": self._names}
        member = "data" if single else "inputs"
        value = _example(self._inputs[0]) if single else {one.name: _example(one) for one in self._inputs}
        body = {
            "type": "object",
            "properties": {member: schemas[self._names[0]] if single else inputs},
            "required": [member],
            "example": {member: value},
        }
        takes = [
            tensors.described(one.name, _kind(one.dtype), one.shape if one.shape is not None else [-1])
            for one in self._inputs
        ]
        found: Dict[str, Any] = {"input": body, "tensors": {"inputs": takes, "outputs": []}}
        try:
            made = self.call({self._names[0]: value} if single else value)
            found["tensors"]["outputs"] = [
                tensors.described(name, _kind(one.dtype), [-1] + list(one.shape[1:]))
                for name, one in _named(made).items()
            ]
            found["output"] = {"example": json.loads(json.dumps(tensors.listed(made)))}
        except Exception as error:
            print("The example of the schema has no answer: %s" % error)
        return found

    def infer(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        """Score the tensors of a V2 request."""
        given = {}
        for name, tensor in inputs.items():
            try:
                given[name] = np.array(tensor["data"]).reshape(tensor["shape"])
            except ValueError as error:
                raise bad_input("The input %s cannot be made into a tensor: %s" % (name, error)) from error
        return {name: one.detach().cpu().numpy() for name, one in _named(self.call(given)).items()}


def _whole(known: _Input, tensor: Any) -> Any:
    """Return whole numbers as such, where only the guess made floats of them: an embedding wants them so."""
    exact = tensor.is_floating_point() and bool((tensor == tensor.floor()).all()) and bool((tensor.abs() < 2**24).all())
    if known.guessed and exact:
        return tensor.to(torch.int64)
    return tensor


def _named(value: Any) -> Dict[str, Any]:
    if isinstance(value, torch.Tensor):
        return {"output": value}
    if isinstance(value, dict):
        return {str(name): one for name, one in value.items() if isinstance(one, torch.Tensor)}
    return {"output_%d" % at: one for at, one in enumerate(value) if isinstance(one, torch.Tensor)}


def _schema(known: _Input) -> Dict[str, Any]:
    if known.shape is None:
        return {"type": "array", "items": {}, "description": "Nested lists: the program does not say how deep."}
    return tensors.nested(tensors.leaf(_kind(known.dtype)), known.shape, least=1)


def _example(known: _Input) -> Any:
    shape = known.shape if known.shape is not None else [1, 1]
    return tensors.example(_kind(known.dtype), shape, most=sys.maxsize)


def _kind(dtype: Any) -> str:
    return str(dtype).replace("torch.", "") if dtype is not None else "float32"
