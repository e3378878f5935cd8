"""Framework versions that files other than pickles state: SavedModel, ONNX, XGBoost, MLflow. Nothing is loaded.

What cannot be read states nothing; the framework says so when it loads the file.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import BinaryIO

from ..spec.model import ManifestFile
from ..store.blobs import BlobStore

_VERSION = re.compile(r"\d+(\.\w+)+([+-][\w.]+)?\Z")
_MOST = 16 << 20
_TAIL = 4096
_MLMODEL = 1 << 20
_FLAVOUR_VERSIONS = {
    "sklearn": ("sklearn_version", "scikit-learn"),
    "xgboost": ("xgb_version", "xgboost"),
    "lightgbm": ("lgb_version", "lightgbm"),
    "pytorch": ("pytorch_version", "torch"),
    "tensorflow": ("tensorflow_version", "tensorflow"),
}
PACKAGES = {
    "ScikitLearn": "scikit-learn",
    "TensorFlow": "tensorflow",
    "TfKeras": "tensorflow",
    "PyTorch": "torch",
    "XGBoost": "xgboost",
    "LightGBM": "lightgbm",
    "MLflow": "mlflow",
}
"""A framework's name at registration to the package whose version is meant."""


def version_of(framework: str, detected: dict[str, str]) -> str | None:
    """The version of a model's framework among what its files state; None where they do not."""
    return detected.get(PACKAGES.get(framework, ""))


def framework_of_files(
    files: Sequence[ManifestFile], detected: dict[str, str], root: str | None, blobs: BlobStore
) -> str:
    """The framework that a model's files are certainly of, ``Custom`` where they are not.

    Args:
        files: Its manifest.
        detected: What they state.
        root: The class of the object that its one pickle holds.
        blobs: Where the files are.
    """
    names = [PurePosixPath(file.path).name.lower() for file in files]
    if "mlmodel" in names:
        return "MLflow" if "mlflow" in detected else "Custom"
    if "saved_model.pb" in names:
        return "TensorFlow" if "tensorflow" in detected else "Custom"
    if len(files) != 1:
        return "Custom"
    module = (root or "").split(".")
    if module[0] == "sklearn" and "scikit-learn" in detected and module[1] not in ("utils", "datasets"):
        return "ScikitLearn"
    if module[:2] in (["xgboost", "sklearn"], ["xgboost", "core"]):
        return "XGBoost"
    if module[:2] in (["lightgbm", "sklearn"], ["lightgbm", "basic"]):
        return "LightGBM"
    if names[0].endswith(".onnx") and "onnx-opset" in detected:
        return "Onnx"
    with blobs.peek(files[0].digest) as stream:
        head = stream.read(_TAIL)
    if "xgboost" in detected and b"learner" in head:
        return "XGBoost"
    return "LightGBM" if head.split(b"\n", 1)[0].strip() == b"tree" and b"max_feature_idx=" in head else "Custom"


def stated(files: Sequence[ManifestFile], blobs: BlobStore) -> dict[str, str]:
    """The versions that a model's files state, by package; ``python`` and ``onnx-opset`` among them."""
    found: dict[str, str] = {}
    for file in files:
        name = PurePosixPath(file.path).name.lower()
        reader = _READERS.get(name) or _BY_SUFFIX.get(PurePosixPath(name).suffix)
        if reader is None:
            continue
        try:
            with blobs.peek(file.digest) as stream:
                for key, value in reader(stream):
                    if _VERSION.match(value) or key == "onnx-opset":
                        found.setdefault(key, value)
        except (OSError, ValueError, IndexError, EOFError):
            continue
    return found


def _saved_model(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    # SavedModel.meta_graphs (2) -> MetaGraphDef.meta_info_def (1) -> tensorflow_version (5)
    for field, _ in protobuf_fields(stream):
        if field != 2:
            continue
        for inner, size in protobuf_fields(stream):
            if inner == 1:
                for number, value in _members(stream.read(min(size, _MOST))):
                    if number == 5 and isinstance(value, bytes):
                        yield "tensorflow", value.decode("ascii", "replace")
            return


def _onnx(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    # ModelProto.opset_import (8) -> OperatorSetIdProto: domain (1), version (2)
    for field, size in protobuf_fields(stream):
        if field == 8 and size < 1024:
            members = dict(_members(stream.read(size)))
            if members.get(1, b"") in (b"", b"ai.onnx") and isinstance(members.get(2), int):
                yield "onnx-opset", str(members[2])


def _xgboost(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read(_TAIL)
    text = re.search(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]', tail)
    if text:
        yield "xgboost", ".".join(part.decode() for part in text.groups())
        return
    binary = re.search(rb"version\[#?(?:L.{8}|[iU].)?i(.)i(.)i(.)", tail, re.DOTALL)
    if binary:
        yield "xgboost", ".".join(str(part[0]) for part in binary.groups())


def _mlmodel(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    import yaml

    from ..spec import yaml_text

    try:
        found = yaml_text.load(stream.read(_MLMODEL))
        flavors = found["flavors"]
        yield "mlflow", str(found.get("mlflow_version"))
        yield "python", str((flavors.get("python_function") or {}).get("python_version"))
        for name, (key, package) in _FLAVOUR_VERSIONS.items():
            if name in flavors:
                yield package, str(flavors[name].get(key))
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        return


_READERS = {"saved_model.pb": _saved_model, "mlmodel": _mlmodel}
_BY_SUFFIX = {".onnx": _onnx, ".json": _xgboost, ".ubj": _xgboost, ".model": _xgboost}


def protobuf_fields(stream: BinaryIO) -> Iterator[tuple[int, int]]:
    """Number and size of the length-delimited fields of a protobuf message; the stream stands at each one's content.

    What the caller leaves unread is skipped; other kinds of fields are passed over.
    """
    return ((number, size) for number, kind, size in _fields(stream) if kind == 2)


def _members(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and value of a message's fields: bytes or a whole number."""
    stream = io.BytesIO(data)
    return ((number, stream.read(value) if kind == 2 else value) for number, kind, value in _fields(stream))


def _fields(stream: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Number and kind of fields with a whole number (0) and its value, or a content (2) and its size."""
    while (tag := _varint(stream)) is not None:
        kind = tag & 7
        if kind in (0, 2):
            value = _varint(stream) or 0
            start = stream.tell()
            yield tag >> 3, kind, value
            if kind == 2:
                stream.seek(start + value)
        elif kind in (1, 5):
            stream.seek(8 if kind == 1 else 4, os.SEEK_CUR)
        else:
            raise ValueError("not a protobuf message")


def _varint(stream: BinaryIO) -> int | None:
    value = shift = 0
    while True:
        byte = stream.read(1)
        if not byte:
            if shift:
                raise EOFError
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
        shift += 7
        if shift > 63:
            raise ValueError("not a protobuf message")
