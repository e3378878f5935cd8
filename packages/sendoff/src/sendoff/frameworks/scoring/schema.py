"""OpenAPI schemas and V2 tensors of models that take rows, made from what the model knows of itself."""

from typing import Any, Dict, List, Optional

Schema = Dict[str, Any]
_FP, _TEXT = "FP64", "BYTES"
_DATATYPES = {"string": _TEXT, "boolean": "BOOL"}


def rows(
    names: Optional[List[str]],
    count: Optional[int],
    kinds: Dict[str, Schema],
    texts: bool = False,
    methods: Optional[List[str]] = None,
) -> Schema:
    """Return the schema of the body of a model that takes rows.

    Args:
        names: the columns, in the model's order; None where it does not know.
        count: how many; None where it does not know.
        kinds: schemas of columns that are not numbers, by name.
        texts: each row is one text.
        methods: what may be called, the default first; None where there is no choice.
    """
    if texts:
        row: Schema = {"type": "string"}
        example: Any = "text"
    elif names is not None:
        row = {"type": "object", "properties": {name: _kind(name, kinds) for name in names}, "required": list(names)}
        example = {name: _example(_kind(name, kinds)) for name in names}
    else:
        row = {"type": "array", "items": {"type": "number", "format": "double"}}
        if count is not None:
            row["minItems"] = row["maxItems"] = count
        example = [0.0] * (count or 1)
    properties: Dict[str, Schema] = {
        "data": {"type": "array", "items": row, "minItems": 1, "description": _words(names, texts)}
    }
    if methods:
        properties["method"] = {"type": "string", "enum": methods, "default": methods[0]}
    return {"type": "object", "properties": properties, "required": ["data"], "example": {"data": [example]}}


def tensors(names: Optional[List[str]], count: Optional[int], kinds: Dict[str, Schema], texts: bool) -> List[Schema]:
    """Return the V2 inputs: one for each named column, else one of all."""
    if texts:
        return [{"name": "data", "datatype": _TEXT, "shape": [-1]}]
    if names is None:
        return [{"name": "data", "datatype": _FP, "shape": [-1, -1 if count is None else count]}]
    return [
        {"name": name, "datatype": _DATATYPES.get(_kind(name, kinds).get("type", ""), _FP), "shape": [-1]}
        for name in names
    ]


def output(value: Any) -> List[Schema]:
    """Return the V2 output of an array."""
    kind = getattr(getattr(value, "dtype", None), "kind", "O")
    size = getattr(getattr(value, "dtype", None), "itemsize", 8) * 8
    names = {"b": "BOOL", "i": "INT%d" % size, "u": "UINT%d" % size, "f": "FP%d" % size}
    shape = [-1] + [int(length) for length in getattr(value, "shape", (1,))[1:]]
    return [{"name": "output", "datatype": names.get(kind, _TEXT), "shape": shape}]


def component(name: str) -> Schema:
    """Return a reference to one of the document's own schemas."""
    return {"$ref": "#/components/schemas/" + name}


def operation(name: str, answer: Schema, failure: Schema, body: Optional[Schema] = None) -> Schema:
    """Return an operation of a further path, as OpenAPI documents have it."""

    def described(words: str, inner: Schema) -> Schema:
        return {"description": words, "content": {"application/json": {"schema": inner}}}

    responses = {"200": described("The answer", answer), "default": described("It failed", failure)}
    found: Schema = {"operationId": name, "responses": responses}
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


def _words(names: Optional[List[str]], texts: bool) -> str:
    if texts:
        return "One text for each row."
    if names is None:
        return "Rows of numbers."
    return "Rows as objects, or as lists of values in this order: %s." % ", ".join(names)


def _kind(name: str, kinds: Dict[str, Schema]) -> Schema:
    return kinds.get(name) or {"type": "number", "format": "double"}


def _example(kind: Schema) -> Any:
    if kind.get("enum"):
        return kind["enum"][0]
    return {"string": "text", "integer": 0, "boolean": False}.get(str(kind.get("type")), 0.0)
