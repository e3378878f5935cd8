"""Several models behind one script, by name: loaded when first asked for, unloaded when memory is short.

A script that defines ``init_model(name, version, path)`` is called for one model at a time: what that function
returned is handed to run() as ``model``. Each worker keeps what it has loaded, least recently used first out.
"""

import gc
import os
import sys
import time
from collections import OrderedDict
from typing import Any, Callable, Dict, List, Optional, Tuple
from urllib.parse import parse_qsl

from . import models
from .answer import Refusal
from .coroutines import awaited

HEADER = "x-sendoff-model"
# Parameters of a query that name the model, and so are no input of run().
QUERY = ("model", "version")

Key = Tuple[str, str]


def deployed() -> Dict[str, List[str]]:
    """Return the versions of each model that lies in the application root or in AZUREML_MODEL_DIR, highest first."""
    found: Dict[str, List[str]] = {}
    root = _root()
    for name in sorted(os.listdir(root)) if os.path.isdir(root) else ():
        folder = os.path.join(root, name)
        versions = [entry for entry in os.listdir(folder) if entry.isdigit()] if os.path.isdir(folder) else []
        if versions:
            found[name] = sorted(versions, key=int, reverse=True)
    return found


def _root() -> str:
    return models.CACHE if os.path.isdir(models.CACHE) else os.environ.get("AZUREML_MODEL_DIR") or models.CACHE


def named(request: Dict[str, Any]) -> Tuple[Optional[str], Optional[str]]:
    """Return the model and the version that a request names: by path, header or query."""
    inference = request.get("inference")
    if inference:
        return inference["model"], inference["version"]
    for name, value in request["headers"]:
        if name.lower() == HEADER:
            model, _, version = value.strip().partition(":")
            return model, version or None
    query = dict(parse_qsl(request["target"].partition("?")[2]))
    return query.get("model"), query.get("version")


class ModelCache:
    """The loaded models of one worker.

    Args:
        load: the script's ``init_model``.
        limit: bytes that loaded models may take together; None for any number.

    Attributes:
        noted: told "loaded" (with the seconds it took) or "unloaded", and the model's name and version.

    A model is taken to need what the process grew by when it was loaded, at least the size of its files; before it
    is loaded for the first time, the size of its files.
    """

    def __init__(self, load: Callable[[str, str, str], Any], limit: Optional[int]) -> None:
        self._load = load
        self._limit = limit
        self._deployed = deployed()
        self._loaded: "OrderedDict[Key, Any]" = OrderedDict()
        self._sizes: Dict[Key, int] = {}
        self.noted: Callable[[str, Key, float], None] = _unheard

    def find(self, name: Optional[str], version: Optional[str]) -> Any:
        """Return a model, loaded if it is not yet.

        Args:
            name: None for the only one.
            version: None for the highest.

        Raises:
            Refusal: there is not one such model, or it does not fit the limit.
            BaseException: whatever the script raises.
        """
        known = ", ".join(sorted(self._deployed)) or "none"
        if name is None:
            if len(self._deployed) != 1:
                message = "the request should name one of the models: %s" % known
                raise Refusal(400, "model_missing", message, hint="add ?model=NAME or the header %s: NAME" % HEADER)
            name = next(iter(self._deployed))
        versions = self._deployed.get(name)
        if versions is None:
            raise Refusal(404, "model_not_found", "there is no model %r here; there is %s" % (name, known))
        if version is not None and version not in versions:
            message = "there is no version %r of %r; there is %s" % (version, name, ", ".join(versions))
            raise Refusal(404, "model_not_found", message)
        key = (name, version or versions[0])
        if key in self._loaded:
            self._loaded.move_to_end(key)
        else:
            self._add(key)
        return self._loaded[key]

    def _add(self, key: Key) -> None:
        folder = os.path.join(os.path.abspath(_root()), *key)
        entries = os.listdir(folder)
        path = os.path.join(folder, entries[0]) if len(entries) == 1 else folder
        on_disk = _size(folder)
        self._make_room(key, self._sizes.get(key, on_disk))
        before, start = _resident(), time.perf_counter()
        model = awaited(self._load(key[0], key[1], path))
        _give_back()  # what loading needed for a moment is not the model's
        self._sizes[key] = size = max(_resident() - before, on_disk)
        try:
            self._make_room(key, size)
        except Refusal:
            del model
            _give_back()
            raise
        self._loaded[key] = model
        seconds = time.perf_counter() - start
        sys.stderr.write(
            "Model %s:%s loaded in %.2f s, %.1f MB; %d loaded\n" % (key + (seconds, size / 1e6, len(self._loaded)))
        )
        self.noted("loaded", key, seconds)

    def _make_room(self, key: Key, size: int) -> None:
        if self._limit is None:
            return
        if size > self._limit:
            message = "model %s:%s needs %.1f MB, over the limit of %.1f MB (setting model_memory_mb)"
            raise Refusal(503, "model_too_large", message % (key + (size / 1e6, self._limit / 1e6)))
        gone = False
        while sum(self._sizes[other] for other in self._loaded) + size > self._limit:
            other, model = self._loaded.popitem(last=False)
            del model
            gone = True
            sys.stderr.write("Model %s:%s unloaded to make room\n" % other)
            self.noted("unloaded", other, 0.0)
        if gone:
            _give_back()


def _unheard(event: str, key: Key, seconds: float) -> None:
    """Nobody counts."""


def _give_back() -> None:
    """Free what nothing refers to any more, and give it back to the kernel."""
    gc.collect()
    try:
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)
    except (ImportError, OSError, AttributeError):
        return  # another C library, which has its own ways


def _resident() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _size(folder: str) -> int:
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)
