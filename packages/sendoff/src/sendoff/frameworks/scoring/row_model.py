"""What models of rows share: one of their methods is called with a table, and they say which columns they take."""

import sys
from typing import Any, Dict, List

import numpy as np

from . import schema, tabular
from .application import bad_input
from .columns import Columns


class RowModel:
    """Scores rows; the frameworks' own classes say how.

    Args:
        title: what the log calls it.
        columns: what the model wants of its input.
        methods: what may be called, the default first.
    """

    hint = tabular.HINT
    texts = False
    """Whether each row is one text."""

    def __init__(self, title: str, columns: Columns, methods: List[str]) -> None:
        self.title = title
        self.columns = columns
        self.methods = methods

    def read_csv(self, body: bytes) -> Any:
        """Return the rows of a CSV body as a body's value."""
        return self.columns.read_csv(body)

    def score(self, payload: Any, request: Any) -> Any:
        """Answer ``{"data": rows, "method": name}``."""
        method = payload.get("method") if isinstance(payload, dict) else None
        if method is None:
            method = self.methods[0]
        elif method not in self.methods:
            raise bad_input("The model has no method %r to call" % (method,), hint="it has " + ", ".join(self.methods))
        return self.call(self.columns.read(payload), method)

    def call(self, table: tabular.Table, method: str) -> Any:
        """Call one of the model's methods with rows.

        Raises:
            Refusal: the rows are not what the model was fitted for.
        """
        raise NotImplementedError

    def kinds(self) -> Dict[str, schema.Schema]:
        """Return schemas of columns that are not any number, by name."""
        found = {self.columns.name(at): column.schema() for at, column in self.columns.known.items()}
        return {name: kind for name, kind in found.items() if kind is not None}

    def describe(self) -> Dict[str, Any]:
        """Return what the model takes and gives."""
        names, count, kinds = self.columns.names, self.columns.count, self.kinds()
        body = schema.rows(names, count, kinds, self.texts, self.methods)
        found: Dict[str, Any] = {"input": body}
        outputs = [{"name": "output", "datatype": "FP64", "shape": [-1]}]
        try:
            value = self.call(self.columns.read(body["example"]), self.methods[0])
        except Exception as error:  # an example that the model refuses is no reason not to serve it
            sys.stdout.write("The example of the schema has no answer: %s\n" % error)
        else:
            found["output"] = {"type": "array", "items": {}, "example": value}
            outputs = schema.output(value)
        found["tensors"] = {"inputs": schema.tensors(names, count, kinds, self.texts), "outputs": outputs}
        return found

    def infer(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        """Score the tensors of a V2 request."""
        value = self.call(self.columns.from_tensors(inputs), self.methods[0])
        return {"output": value if isinstance(value, list) else np.asarray(value)}
