"""The answer to a request of the Open Inference Protocol: which outputs it wants, and in which form."""

from typing import TYPE_CHECKING, Any, Dict, List, Optional

from . import binary_tensors, tensors
from .answer import Answer, Refusal
from .binary_tensors import BadTensor

if TYPE_CHECKING:
    from .invoke import Invoker


class WantedOutputs:
    """What a request says of its answer.

    Args:
        given: the request's JSON.

    Attributes:
        id: the request's own name for itself, None for none.
        names: the outputs that are wanted, in their order; None for all.

    Raises:
        BadTensor: it cannot be read, or asks for what is not offered.
    """

    def __init__(self, given: Dict[str, Any]) -> None:
        self.id = None if given.get("id") is None else str(given["id"])
        self._all = _flag(given, "binary_data_output", "the request", False)
        outputs = given.get("outputs")
        self.names: Optional[List[str]] = None
        self._binary: Dict[str, bool] = {}
        if not outputs:
            return
        if not isinstance(outputs, list) or not all(
            isinstance(one, dict) and isinstance(one.get("name"), str) for one in outputs
        ):
            raise BadTensor("outputs should be a list of objects with a name")
        self.names = [one["name"] for one in outputs]
        for one in outputs:
            self._binary[one["name"]] = _flag(one, "binary_data", "the output %r" % one["name"], self._all)
            for parameter in ("classification", "shared_memory_region"):
                if parameter in (one.get("parameters") or {}):
                    message = "the output %r asks for %s, which is not offered"
                    raise BadTensor(message % (one["name"], parameter))

    def binary(self, name: str) -> bool:
        """Whether the output of a name is wanted as bytes."""
        return self._binary.get(name, self._all)


def _flag(owner: Dict[str, Any], parameter: str, called: str, otherwise: bool) -> bool:
    parameters = owner.get("parameters")
    if parameters is None:
        return otherwise
    if not isinstance(parameters, dict):
        raise BadTensor("the parameters of %s should be an object" % called)
    flag = parameters.get(parameter, otherwise)
    if not isinstance(flag, bool):
        raise BadTensor("%s of %s should be true or false, not %r" % (parameter, called, flag))
    return flag


def response(
    invoker: "Invoker", wanted: WantedOutputs, target: Dict[str, Any], value: Any, seconds: float, rows: int
) -> Answer:
    """Return the answer that a result becomes.

    Args:
        invoker: encodes it and counts its rows.
        wanted: what the request says of its answer.
        target: the "model" that has answered and its "version".
        value: the result; seconds: in run(); rows: of the result.

    Raises:
        Refusal: the result cannot be made into tensors, or has no output that is wanted.
    """
    unnamed = wanted.names[0] if wanted.names and len(wanted.names) == 1 else "output"
    try:
        made = tensors.write(value, wanted.binary, unnamed)
    except Exception as error:
        message = "The result of run() cannot be made into tensors: %s" % error
        raise Refusal(500, "result_not_encodable", message, seconds=seconds) from error
    content: Dict[str, Any] = {"model_name": target["model"]}
    if target.get("version"):
        content["model_version"] = target["version"]
    if wanted.id is not None:
        content["id"] = wanted.id
    if wanted.names is not None:
        by_name = {tensor["name"]: tensor for tensor in made}
        unknown = [name for name in wanted.names if name not in by_name]
        if unknown:
            message = "there is no output %s; run() gave %s" % (", ".join(unknown), ", ".join(by_name) or "none")
            raise Refusal(400, "tensor_invalid", message)
        made = [by_name[name] for name in wanted.names]
    pieces: List[bytes] = []
    for place, tensor in enumerate(made):
        if isinstance(tensor["data"], bytes):
            pieces.append(tensor["data"])
            parameters = dict(tensor.get("parameters") or {}, **{binary_tensors.SIZE: len(tensor["data"])})
            made[place] = {key: item for key, item in tensor.items() if key != "data"}
            made[place]["parameters"] = parameters
    content["outputs"] = made
    answer = invoker.encoded(content, seconds, rows)
    if pieces:
        answer.body, answer.headers = binary_tensors.joined(answer.body, pieces)
    return answer
