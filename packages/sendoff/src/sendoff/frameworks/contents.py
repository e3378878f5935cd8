"""Whether a model's main file can be what its framework loads: by its first bytes and its outline, nothing is loaded.

Only what would surely fail in ``init()`` is refused; what a cheap look cannot tell is left to the framework.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import BinaryIO

from ..errors import InvalidInput
from ..registry.archives import may_be_pickle
from ..registry.framework_files import protobuf_fields
from ..spec.model import ManifestFile, Model
from ..store.blobs import BlobStore
from .files import is_pickle

_HEAD = 4096
_WHOLE_JSON = 4 << 20
"""Up to this size a JSON file is read whole; of a larger one only the beginning."""
_GRAPH, _META_GRAPHS = 7, 2
"""ModelProto.graph of onnx.proto, SavedModel.meta_graphs of saved_model.proto."""
_SHOWN = 40


def check_contents(model: Model, framework: str, main: str, blobs: BlobStore) -> None:
    """Refuse a file that its framework surely cannot load.

    Args:
        model: The registered model.
        framework: As ``recipes.framework_of`` names it.
        main: Its main file or folder.
        blobs: Where its files are.

    Raises:
        InvalidInput: Names the file, what was expected and what is there.
    """
    file = _file(model, framework, main)
    if file is None:
        return
    pickled = framework == "scikit-learn" or (framework in ("xgboost", "lightgbm") and is_pickle(file.path))
    look, expected, advice = _PICKLE if pickled else _LOOKS[framework]
    with blobs.peek(file.digest) as stream:
        if not look(stream, file.path):
            stream.seek(0)
            raise _wrong(model, framework, file, expected, what_it_is(stream.read(_HEAD)), advice)
    if pickled and model.scan.verdict == "safe" and not model.scan.findings:
        found = "is a pickle of plain values (numbers, texts, lists), without an object of any class"
        raise _wrong(model, framework, file, expected, found, advice)


def what_it_is(head: bytes) -> str:
    """What a file seems to be, for a sentence: ``is empty``, ``is text that begins with 'a,b,c'``.

    Args:
        head: Its first bytes.
    """
    if not head:
        return "is empty"
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        return "is a pointer of Git LFS, not the file itself (git lfs pull fetches it)"
    for start, name in _KNOWN_STARTS:
        if re.match(start, head, re.S | re.I):
            return f"is {name}"
    text = head.decode("utf-8", "ignore").strip()
    if text and len(text.encode()) > len(head) // 2 and not re.search(r"[\x00-\x08\x0e-\x1f]", text):
        first = text.splitlines()[0].strip()
        return f"is text that begins with {first[:_SHOWN] + ('…' if len(first) > _SHOWN else '')!r}"
    return f"begins with the bytes {head[:8].hex(' ')}"


_KNOWN_STARTS = (
    (rb"\x80[\x02-\x05]", "a pickle"),
    (rb"PK\x03\x04.{0,300}/data\.pkl", "what torch.save() wrote: weights or a pickled module"),
    (rb"PK\x03\x04", "a zip archive"),
    (rb"\x89HDF\r\n", "an HDF5 file"),
    (rb"\x1f\x8b", "compressed with gzip"),
    (rb"\x93NUMPY", "a NumPy array"),
    (rb"PAR1", "a Parquet file"),
    (rb"\s*<(!doctype html|html)", "an HTML page"),
)


def _file(model: Model, framework: str, main: str) -> ManifestFile | None:
    """The file to look at; None where the recipe has read it itself."""
    if framework == "mlflow":
        return None
    path = str(PurePosixPath(main) / "saved_model.pb") if framework == "tensorflow" else main
    return next((file for file in model.files if file.path == path), None)


def _wrong(model: Model, framework: str, file: ManifestFile, expected: str, found: str, advice: str) -> InvalidInput:
    return InvalidInput(
        f"model {model.id}: {file.path} is no {_TITLES.get(framework, framework)} model: {expected} was expected, and "
        f"the file {found}",
        hint=f"Register {advice}; or give an entry script and an environment (InferenceConfig, --ic), which may load "
        "any file.",
        field="models",
        file=file.path,
    )


def _is_onnx(stream: BinaryIO, path: str) -> bool:
    # ONNX Runtime's own format is a FlatBuffer, with its name after the first offset.
    return stream.read(8)[4:] == b"ORTM" or _has_field(stream, _GRAPH)


def _is_saved_model(stream: BinaryIO, path: str) -> bool:
    return _has_field(stream, _META_GRAPHS)


def _has_field(stream: BinaryIO, wanted: int) -> bool:
    """Whether the whole stream is one protobuf message with that field; large contents are stepped over."""
    size = stream.seek(0, 2)
    stream.seek(0)
    found = False
    try:
        for field, length in protobuf_fields(stream):
            if field == 0 or stream.tell() + length > size:
                return False
            found = found or field == wanted
    except (ValueError, EOFError):
        return False
    return found


def _is_xgboost(stream: BinaryIO, path: str) -> bool:
    # Source: XGBoost's documentation, "Introduction to Model IO": JSON, UBJSON, and the old binary form, which is
    # told by its ending, else by the first bytes.
    head = stream.read(_HEAD)
    if head.lstrip().startswith(b"{"):
        if head.lstrip()[1:2] not in (b'"', b"\n", b"\r", b" ", b"\t"):
            return b"learner" in head or len(head) == _HEAD  # UBJSON: a count or a length follows
        content = head + stream.read(_WHOLE_JSON)
        if len(content) > _WHOLE_JSON:
            return True
        try:
            found = json.loads(content.decode("utf-8", "replace"))
        except ValueError:
            return False
        return isinstance(found, dict) and "learner" in found
    if path.lower().endswith((".json", ".ubj")):
        return False
    # The old binary form begins with parameters, most of them zeros; "binf" and "bs64" name it.
    if head.startswith((b"binf", b"bs64")):
        return True
    return b"\0\0\0" in head[:256] and not head.startswith(b"\x80")  # that is a pickle, whatever its name


def _is_lightgbm(stream: BinaryIO, path: str) -> bool:
    # Source: LightGBM's gbdt_model_text.cpp writes the submodel's name first, and its reader asks for it.
    return stream.readline(16).strip() == b"tree"


def _is_program(stream: BinaryIO, path: str) -> bool:
    """A zip archive of torch.export or TorchScript: torch.save's has ``data.pkl`` and no code."""
    try:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    last = {name.rpartition("/")[2] for name in names}
    exported = "archive_format" in last or any(name.endswith("serialized_exported_program.json") for name in last)
    return exported or any("/code/" in f"/{name}" for name in names) or "constants.pkl" in last


def _is_pickle(stream: BinaryIO, path: str) -> bool:
    return may_be_pickle(stream)


_TITLES = {"onnx": "ONNX", "tensorflow": "TensorFlow", "xgboost": "XGBoost", "lightgbm": "LightGBM", "torch": "PyTorch"}
_Look = tuple[Callable[[BinaryIO, str], bool], str, str]
_PICKLE: _Look = (_is_pickle, "a pickle", "the file that joblib.dump(model, path) or pickle.dump() wrote")
_LOOKS: dict[str, _Look] = {
    "onnx": (_is_onnx, "an ONNX graph", "the file that onnx.save() or the framework's exporter to ONNX wrote"),
    "tensorflow": (_is_saved_model, "a SavedModel", "the folder that tf.saved_model.save() or model.export() wrote"),
    "xgboost": (_is_xgboost, "a saved booster", "the file that save_model() wrote, or a pickle with such an ending"),
    "lightgbm": (_is_lightgbm, "a saved booster", "the file that save_model() wrote, or a pickle with such an ending"),
    "torch": (
        _is_program,
        "a program of torch.export or TorchScript",
        "the file that torch.export.save(torch.export.export(module, args), 'model.pt2') wrote",
    ),
}
