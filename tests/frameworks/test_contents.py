"""A file that its framework surely cannot load is refused before anything is built; one that it can is not."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import pickle
import struct
import zipfile
import zlib
from pathlib import PurePosixPath

import pytest

from sendoff.errors import InvalidInput
from sendoff.frameworks.contents import check_contents, what_it_is
from sendoff.frameworks.files import main_file
from sendoff.frameworks.recipes import framework_of
from sendoff.registry import Registry
from sendoff.spec.model import ManifestFile, RegisterModel
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import open_store


@pytest.fixture
def check(tmp_path):
    store = open_store(tmp_path / "home")
    registry = Registry(store)
    registry.create_workspace(CreateWorkspace(name="ws"))

    def check(framework: str, path: str, content: bytes) -> str:
        """What is said of a model of one file; empty when it passes."""
        digest, size = store.blobs.put_bytes(content)
        body = RegisterModel(name="m", files=[ManifestFile(path=path, digest=digest, size=size)], framework=framework)
        model = registry.register("ws", body)
        try:
            check_contents(model, framework_of(model), main_file(model), store.blobs)
        except InvalidInput as error:
            assert error.hint.startswith("Register ")
            return error.message
        return ""

    yield check
    store.close()


def member(number: int, content: bytes) -> bytes:
    """One length-delimited field of a protobuf message."""
    return bytes([number << 3 | 2, len(content)]) + content


def zipped(tmp_path, *names: str) -> bytes:
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return (tmp_path / "made.zip").read_bytes()


ESTIMATOR = PurePosixPath("any/object/of/a/class")
ONNX = b"\x08\x07" + member(2, b"exporter") + member(7, b"graph")
SAVED_MODEL = b"\x08\x01" + member(2, b"graphs")
BOOSTER = b'{"learner": {}, "version": [2, 1, 4]}'
UBJSON = b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{"
TREES = b"tree\nversion=v4\nnum_class=1\n"

TEXTS = [
    b"hello, not a model\n",
    b"col1,col2\n1,2\n3,4\n",  # begins as a pickle's import does
    b"import numpy as np\nimport pandas as pd\n",  # and so does this
    b"x\x9cylophone",  # begins as zlib does
    b"x^2 + y^2 = 1\n",
    b".\n",
    b"{}",
    b"",
    b"\xff\xfe\x00\x01" * 20,
    b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 10\n",
]
PATHS = {
    "ScikitLearn": "m.pkl",
    "Onnx": "m.onnx",
    "TensorFlow": "m/saved_model.pb",
    "XGBoost": "m.json",
    "LightGBM": "m.txt",
    "PyTorch": "m.pt",
}


@pytest.mark.parametrize("content", TEXTS)
@pytest.mark.parametrize("framework", PATHS)
def test_a_file_that_is_no_model_is_refused_by_name(check, framework, content) -> None:
    said = check(framework, PATHS[framework], content)
    assert said.startswith(f"model m:1: {PATHS[framework]} is no ")
    assert " was expected, and the file " in said


@pytest.mark.parametrize("framework", ["ScikitLearn", "Onnx", "XGBoost", "LightGBM", "PyTorch"])
def test_a_text_without_a_known_ending_is_refused_too(check, framework) -> None:
    said = check(framework, "notes", b"hello, not a model\n")
    assert said.endswith("and the file is text that begins with 'hello, not a model'")


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("squeeze", [bytes, gzip.compress, bz2.compress, lzma.compress, zlib.compress])
def test_pickles_of_every_protocol_and_compression_pass(check, protocol, squeeze) -> None:
    assert check("ScikitLearn", "m.pkl", squeeze(pickle.dumps(ESTIMATOR, protocol))) == ""
    assert check("ScikitLearn", "model", squeeze(pickle.dumps(ESTIMATOR, protocol))) == ""
    assert check("XGBoost", "m.pkl", squeeze(pickle.dumps(ESTIMATOR, protocol))) == ""


def test_old_forms_of_joblib_and_what_is_not_looked_into_pass(check) -> None:
    body = zlib.compress(pickle.dumps(ESTIMATOR, 2))
    assert check("ScikitLearn", "m.pkl", b"ZF" + hex(len(body)).encode().ljust(19) + body) == ""
    assert check("ScikitLearn", "m.pkl", b"\x04\x22\x4d\x18 and so on") == ""  # LZ4


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress])
def test_a_compressed_text_and_a_pickle_of_plain_values_are_no_models(check, squeeze) -> None:
    assert "a pickle was expected" in check("ScikitLearn", "m.pkl.gz", squeeze(b"col1,col2\n1,2\n"))
    said = check("ScikitLearn", "m.pkl", squeeze(pickle.dumps({"coef": [1.5, 2.5], "intercept": 0.0})))
    assert "is a pickle of plain values" in said


@pytest.mark.parametrize(
    ("framework", "path", "content"),
    [
        ("Onnx", "m.onnx", ONNX),
        ("Onnx", "m.ort", b"\x30\x00\x00\x00ORTM and so on"),
        ("TensorFlow", "saved_model.pb", SAVED_MODEL),
        ("TfKeras", "m/1/saved_model.pb", SAVED_MODEL),
        ("TensorFlow", "m/saved_model.pbtxt", b"meta_graphs {}"),
        ("XGBoost", "m.json", BOOSTER),
        ("XGBoost", "m.json", json.dumps(json.loads(BOOSTER), indent=2).encode()),
        ("XGBoost", "m.ubj", UBJSON),
        ("XGBoost", "m.model", b"binf" + struct.pack("<fII", 0.5, 4, 0) + bytes(60)),
        ("XGBoost", "m.bin", struct.pack("<fII", 0.5, 4, 0) + bytes(60)),
        ("LightGBM", "m.txt", TREES),
        ("LightGBM", "m.txt", TREES.replace(b"\n", b"\r\n")),
    ],
)
def test_models_pass(check, framework, path, content) -> None:
    assert check(framework, path, content) == ""


def test_graphs_that_are_cut_off_are_refused(check) -> None:
    assert "an ONNX graph was expected" in check("Onnx", "m.onnx", ONNX[:-2])
    assert "a SavedModel was expected" in check("TensorFlow", "m/saved_model.pb", SAVED_MODEL[:-2])
    assert "a SavedModel was expected" in check("TensorFlow", "m/saved_model.pb", ONNX[:11])


def test_models_of_another_framework_are_told(check, tmp_path) -> None:
    assert "the file is a pickle" in check("Onnx", "m.onnx", pickle.dumps(ESTIMATOR))
    assert "the file is a pickle" in check("XGBoost", "m.model", pickle.dumps(ESTIMATOR))
    assert "the file is a zip archive" in check("ScikitLearn", "m.pkl", zipped(tmp_path, "schema.json"))
    assert "the file is an HDF5 file" in check("ScikitLearn", "m.pkl", b"\x89HDF\r\n\x1a\n")


def test_torchs_programs_pass_and_its_weights_do_not(check, tmp_path) -> None:
    script = ("m/data.pkl", "m/code/__torch__.py", "m/constants.pkl", "m/version")
    assert check("PyTorch", "m.pt", zipped(tmp_path, *script)) == ""
    assert check("PyTorch", "m.pt2", zipped(tmp_path, "m/archive_format", "m/models/model.json")) == ""
    assert check("PyTorch", "m.pt2", zipped(tmp_path, "serialized_exported_program.json", "version")) == ""
    weights = ("m/data.pkl", "m/version", "m/data/0")
    said = check("PyTorch", "m.pt", zipped(tmp_path, *weights))
    assert "a program of torch.export or TorchScript was expected, and the file is what torch.save() wrote" in said


def test_what_a_file_is_in_words() -> None:
    assert what_it_is(b"") == "is empty"
    assert "Git LFS" in what_it_is(TEXTS[-1])
    assert what_it_is(b"a" * 99) == f"is text that begins with '{'a' * 40}…'"
    assert what_it_is("모델이 아님\n".encode()) == "is text that begins with '모델이 아님'"
    assert what_it_is(b"\n<!DOCTYPE html>") == "is an HTML page"
    assert what_it_is(b"\xff\xfe\x00\x01") == "begins with the bytes ff fe 00 01"
