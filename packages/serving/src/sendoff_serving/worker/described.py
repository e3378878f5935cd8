"""Scripts that take the HTTP request itself (``@rawhttp``) and say what is in it.

Such a script may define two functions more, both optional. Scripts that know nothing of them are not concerned.

``describe_service()`` is called once init() has returned, and gives a dict with any of:

- "input", "output": OpenAPI schema objects of the JSON body and the answer of /score, with their examples;
- "required": whether a body is needed;
- "tensors": {"inputs": [...], "outputs": [...]}, as the Open Inference Protocol describes a model;
- "models": {name: [version, ...]}, the names under which that protocol finds it;
- "routes": beginnings of further paths whose requests run() is given too, such as "/v1/models/";
- "paths": OpenAPI path items of those, for the 3.x documents.

``infer_tensors(inputs)`` is given the tensors of a V2 request, ``{name: {"shape", "datatype", "data"}}`` with the data
flat (elements of BYTES are text, or bytes where one of them is no text), and returns ``{name: array}``. Both may raise
``sendoff_serving.worker.answer.Refusal``, and so may run().
"""

import json
import sys
from typing import Any, Dict

from .encoding import encode

DESCRIBE, INFER = "describe_service", "infer_tensors"
_VERSIONS = ["2.0", "3.0", "3.1"]


def members(given: Any, infers: bool) -> Dict[str, Any]:
    """Return what a script says of itself as members of the READY frame.

    Args:
        given: what ``describe_service()`` returned.
        infers: whether the script takes tensors.
    """
    try:
        plain: Dict[str, Any] = json.loads(encode(given, "null")[0].decode("ascii"))
        found: Dict[str, Any] = {
            "routes": [str(route) for route in plain.get("routes", []) if str(route).startswith("/")],
            "paths": dict(plain.get("paths", {})),
            "models": plain.get("models"),
            "body_required": bool(plain.get("required")),
            "tensors": plain.get("tensors") if infers else None,
        }
        if "input" in plain or "output" in plain:
            known = plain.get("input") or {"type": "object"}
            found["schema"] = {
                "input": known,
                "output": plain.get("output") or {"type": "object"},
                "versions": _VERSIONS,
                "shapes": {},
            }
            found["parameters"] = list(known.get("properties", {}))
            found["required"] = [str(name) for name in known.get("required", [])]
    except Exception as error:
        sys.stderr.write("What %s() returned is not used: %s\n" % (DESCRIBE, error))
        return {}
    return found
