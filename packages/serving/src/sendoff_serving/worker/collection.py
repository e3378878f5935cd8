"""What data collectors of a script hand to the front: rows as JSON, in COLLECT frames (docs/data-collection.md).

Nothing here may make a request fail: whatever goes wrong is said once on standard error and counted by the front.
"""

import json
import sys
import time
from typing import Any, Dict, List, Optional, Tuple

from sendoff_serving.protocol import CollectFlag, Kind

from .channel import Channel

_TOO_LARGE, _NOT_WRITABLE = "too_large", "not_writable"


class Collection:
    """The way from collectors to the front.

    Attributes:
        on: whether anything is collected.
        workspace: "subscription/group/workspace" of the service.
        service: its name.
        models: names and versions of its models.
        made: collectors that the script has made.
    """

    def __init__(self) -> None:
        self._channel = None  # type: Optional[Channel]
        self._most = 0
        self._said = {}  # type: Dict[str, bool]
        self.on = False
        self.workspace = ""
        self.service = ""
        self.models = []  # type: List[Tuple[str, str]]
        self.made = 0

    def attach(self, channel: Channel, settings: Optional[Dict[str, Any]]) -> None:
        """Begin to collect over a channel.

        Args:
            channel: the worker's.
            settings: what the front's HELLO has under "collect"; None keeps it off.
        """
        if settings is None:
            return
        self._channel = channel
        self._most = int(settings["max_bytes"])
        self.workspace = str(settings["workspace"])
        self.service = str(settings["service"])
        self.models = [(str(name), str(version)) for name, version in settings["models"]]
        self.on = True

    def version_of(self, model: str) -> Optional[str]:
        """The version of a model that the service has, None when it has none of this name."""
        return dict(self.models).get(model)

    def send(self, what: Dict[str, Any], data: Any, names: Optional[List[str]]) -> bool:
        """Send rows; False when they are dropped, which the front counts.

        Args:
            what: model, version, designation, collection and correlation, as JSON values.
            data: a list, array, series or frame of one or many rows.
            names: names of the columns; None for those of the frame, or none.
        """
        if self._channel is None:
            return False
        reason, rows = None, b""
        try:
            if _least_bytes(data) > self._most:
                reason = _TOO_LARGE
            else:
                found, values = table(data)
                width = len(values[0]) if values else 0
                # Correlations may have been added to what names its columns itself.
                columns = names if names is not None and (len(names) == width or found is None) else found
                what = dict(what, columns=columns)
                rows = json.dumps(values, default=str).encode("utf-8")
                if len(rows) > self._most:
                    reason = _TOO_LARGE
        except Exception as error:
            self.say("what is collected cannot be written as rows: %s: %s" % (type(error).__name__, error))
            reason = _NOT_WRITABLE
        if reason == _TOO_LARGE:
            self.say("rows of more than %d bytes are not collected (setting max_body_bytes)" % self._most)
        if reason is not None:
            what, rows = dict(what, reason=reason), b""
        code = 0 if reason is None else CollectFlag.DROPPED
        self._channel.send_bodies(Kind.COLLECT, [json.dumps(what).encode("utf-8"), rows], code, time.time())
        return reason is None

    def add(self) -> None:
        """Count a collector that the script has made, and say so where it has no effect."""
        self.made += 1
        if not self.on:
            self.say(
                "it is off, so collect() has no effect; deploy with collect_model_data=True, or "
                "'sendoff service update -n NAME --md true'"
            )

    def say(self, text: str) -> None:
        """Write a line to standard error, each one once."""
        if text not in self._said:
            self._said[text] = True
            sys.stderr.write("Data collection: %s\n" % text)


collection = Collection()


def _least_bytes(data: Any) -> int:
    """About the size of what would be written, told without writing it."""
    size = getattr(data, "size", 0)  # numpy and pandas: number of values; each takes two characters and more
    return 2 * size if isinstance(size, int) else 0


def table(data: Any) -> Tuple[Optional[List[str]], List[List[Any]]]:
    """Return names of columns, where the data has some, and rows of plain values.

    A list or array of one dimension is one row, as the collector that scripts were written for had it.
    """
    if hasattr(data, "toPandas"):
        data = data.toPandas()
    if hasattr(data, "columns") and hasattr(data, "itertuples"):
        return [str(name) for name in data.columns], [list(map(_plain, row)) for row in data.itertuples(index=False)]
    if hasattr(data, "to_frame"):  # a series is a column
        return [str(getattr(data, "name", None) or "value")], [[_plain(value)] for value in data.tolist()]
    if hasattr(data, "tolist"):
        data = data.tolist()
    if isinstance(data, dict):
        return [str(name) for name in data], [[_plain(value) for value in data.values()]]
    if not isinstance(data, (list, tuple)):
        return None, [[_plain(data)]]
    if data and all(isinstance(row, dict) for row in data):
        names = []  # type: List[str]
        for row in data:
            names += [name for name in row if name not in names]
        return [str(name) for name in names], [[_plain(row.get(name)) for name in names] for row in data]
    if data and all(isinstance(row, (list, tuple)) for row in data):
        return None, [[_plain(value) for value in row] for row in data]
    return None, [[_plain(value) for value in data]]


def _plain(value: Any) -> Any:
    """A numpy scalar as Python's own; json writes the others, or their text."""
    if hasattr(value, "item") and not getattr(value, "shape", ()):
        return value.item()
    return value.tolist() if hasattr(value, "tolist") else value
