"""The scan of pickles: what it finds, what it steps over, and that it never loads anything."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import time
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sendoff.registry.imports import verdict
from sendoff.registry.scan import Scanned, scan
from sendoff.spec.model import ManifestFile
from sendoff.store.local_blobs import LocalBlobs

# numpy, joblib and scikit-learn are imported by the tests that need them: that takes seconds, and every worker of the
# suite collects every file.


class Evil:
    """Would make a file if anything loaded it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch /tmp/sendoff-scan-loaded-a-pickle",)


class Own:
    """A class of the user's."""


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


def look(blobs: LocalBlobs, data: bytes, name: str = "model.pkl", **bounds: float) -> Scanned:
    digest, size = blobs.put_bytes(data)
    return scan([ManifestFile(path=name, digest=digest, size=size)], blobs, **bounds)  # type: ignore[arg-type]


def dumped(value: object, **how: object) -> bytes:
    import joblib

    file = io.BytesIO()
    joblib.dump(value, file, **how)
    return file.getvalue()


def arrays(last: object) -> dict[str, object]:
    """Arrays of every kind that joblib writes inline, with something after them."""
    import numpy as np

    return {
        "floats": np.random.default_rng(0).normal(size=(300, 70)),
        "evil bytes": np.frombuffer(pickle.dumps(Evil()), dtype="u1"),
        "texts": np.array(["a", "bcd"]),
        "dates": np.array(["2020-01-01"], dtype="M8[D]"),
        "flags": np.array([True]),
        "empty": np.zeros((0, 3)),
        "number": np.float32(1),
        "records": np.zeros(3, dtype=[("a", "f4"), ("b", "U7")]),
        "fortran": np.asfortranarray(np.ones((3, 4))),
        "objects": np.array([1, "x", None], dtype=object),
        "records of objects": np.zeros(2, dtype=[("a", "O"), ("b", "i4")]),
        "last": last,
    }


@pytest.mark.parametrize("protocol", range(6))
def test_a_call_of_the_system_is_dangerous_in_every_protocol(blobs: LocalBlobs, protocol: int) -> None:
    found = look(blobs, pickle.dumps([1, {"k": Evil()}], protocol=protocol))
    assert found.report.verdict == "dangerous"
    assert [(finding.imported, finding.verdict) for finding in found.report.findings] == [("posix.system", "dangerous")]
    assert found.report.detail == ""


@pytest.mark.parametrize("protocol", range(6))
def test_data_is_safe_and_own_classes_are_unknown(blobs: LocalBlobs, protocol: int) -> None:
    assert look(blobs, pickle.dumps([OrderedDict(a=1), {2, 3}, 1 << 200], protocol=protocol)).report.verdict == "safe"
    assert look(blobs, pickle.dumps(Own(), protocol=protocol)).report.verdict == "unknown"


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_arrays_in_joblib_files_are_stepped_over(blobs: LocalBlobs, compress: object) -> None:
    assert look(blobs, dumped(arrays(1), compress=compress), "m.joblib").report.verdict == "safe"
    found = look(blobs, dumped(arrays(Evil()), compress=compress), "m.joblib").report
    assert (found.verdict, found.detail) == ("dangerous", "")


def test_a_scikit_learn_model_is_safe_and_states_its_version(blobs: LocalBlobs) -> None:
    import numpy as np
    import sklearn
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(60, 4)), rng.integers(0, 3, 60)
    for model in (RandomForestClassifier(5), KNeighborsClassifier(algorithm="kd_tree")):
        fitted = make_pipeline(StandardScaler(), model).fit(features, labels)
        for data in (
            dumped(fitted),
            dumped(fitted, compress=3),
            pickle.dumps(fitted),
            pickle.dumps(fitted, protocol=2),
        ):
            found = look(blobs, data)
            assert (found.report.verdict, found.report.detail) == ("safe", "")
            assert found.detected == {"scikit-learn": sklearn.__version__}


def torch_archive(payload: bytes) -> bytes:
    """A PyTorch archive as torch.save writes it: made by hand, torch is not installed here."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", payload)
        archive.writestr("archive/data/0", os.urandom(1000))
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


def numpy_file(array: object, save: str) -> bytes:
    import numpy as np

    file = io.BytesIO()
    getattr(np, save)(file, array)
    return file.getvalue()


def test_containers_are_looked_into(blobs: LocalBlobs) -> None:
    import numpy as np

    evil = pickle.dumps(Evil())
    tensor = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00((X\x07\x00\x00\x00storageq\x01ctorch\nFloatStorage\nq\x02X\x01"
        b"\x00\x00\x000q\x03X\x03\x00\x00\x00cpuq\x04K\x04tq\x05QK\x00K\x02K\x02\x86q\x06K\x02K\x01\x86q\x07\x89"
        b"ccollections\nOrderedDict\nq\x08)Rq\ttq\nRq\x0b."
    )
    assert look(blobs, torch_archive(tensor), "m.pt").report.verdict == "safe"
    for data in (
        torch_archive(evil),
        gzip.compress(evil),
        bz2.compress(evil),
        lzma.compress(evil),
        zlib.compress(evil),
        numpy_file(np.array([Evil()], dtype=object), "save"),
        numpy_file(np.array([Evil()], dtype=object), "savez"),
        numpy_file(np.array([Evil()], dtype=object), "savez_compressed"),
        pickle.dumps(1) + evil,
    ):
        assert look(blobs, data).report.verdict == "dangerous"
        assert look(blobs, data, "renamed.bin").report.verdict == "dangerous"
    assert look(blobs, numpy_file(np.ones(3), "save"), "a.npy").report.verdict == "none"
    assert look(blobs, numpy_file(np.ones(3), "savez"), "a.npz").report.verdict == "none"


def test_a_keras_archive_states_its_version(blobs: LocalBlobs) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.1.0"}))
    assert look(blobs, file.getvalue(), "m.keras").detected == {"keras": "3.1.0"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"class,value\n1,2\n3,4\n",
        b'{"a": 1}',
        b"# a title\n\ntext\n",
        b"N.",
        b"import os\nos.system('ls')\n",
        b"(some text) in brackets.",
        b"\x78\x9c" + b"not zlib at all" * 10,
    ],
)
def test_other_files_are_no_pickles(blobs: LocalBlobs, data: bytes) -> None:
    assert look(blobs, data, "notes.txt").report.verdict in ("none", "unreadable" if data[:1] == b"\x78" else "none")


def test_a_pickle_of_the_oldest_protocol_is_found_whatever_its_name(blobs: LocalBlobs) -> None:
    data = pickle.dumps(Evil(), protocol=0)
    assert look(blobs, data, "notes.txt").report.verdict == "dangerous"
    assert look(blobs, data[:-1] + b"\xff", "notes.txt").report.verdict == "dangerous"  # runs before it fails


@pytest.mark.parametrize("cut", [1, 10, 30])
def test_what_cannot_be_followed_is_unreadable(blobs: LocalBlobs, cut: int) -> None:
    data = pickle.dumps(OrderedDict(a="x" * 50))
    found = look(blobs, data[:-cut]).report
    assert found.verdict == "unreadable"
    assert found.detail.startswith("model.pkl: ")
    assert look(blobs, gzip.compress(data)[:-20]).report.verdict == "unreadable"
    assert look(blobs, torch_archive(data)[:-cut], "m.pt").report.verdict == "unreadable"


def test_names_that_are_computed_or_hidden_are_dangerous(blobs: LocalBlobs) -> None:
    computed = b"\x80\x04\x8c\x02os\x94(\x8c\x06system\x8c\x06sybstel\x93)R."  # STACK_GLOBAL without plain strings
    assert look(blobs, b"\x80\x04N\x8c\x06system\x93)R.").report.verdict == "dangerous"
    assert look(blobs, b"\x80\x02\x82\x01)R.").report.verdict == "dangerous"  # copyreg's table of the loader
    assert look(blobs, computed).report.verdict in ("unreadable", "dangerous")
    # MEMOIZE counts entries, not steps: a scan that counts steps would be shown another name.
    moved = b"\x80\x04\x8c\x02osq\x00q\x00\x8c\x06system\x94h\x00h\x01\x93)R."
    assert [finding.imported for finding in look(blobs, moved).report.findings] == ["os.system"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("builtins.eval", "dangerous"),
        ("__builtin__.getattr", "dangerous"),
        ("numpy.testing._private.utils.runstring", "dangerous"),
        ("torch.hub.load", "dangerous"),
        ("sklearn.linear_model.ridge.Ridge", "safe"),
        ("sklearn.linear_model._ridge.Ridge", "safe"),
        ("sklearn.utils.load", "unknown"),
        ("scipy.sparse._csr.csr_matrix", "safe"),
        ("mymodule.Thing", "unknown"),
        ("osmium.Thing", "unknown"),
        ("?.?", "dangerous"),
    ],
)
def test_imports_have_verdicts(name: str, expected: str) -> None:
    assert verdict(name) == expected


def test_the_scan_ends_in_time_and_within_bounds(blobs: LocalBlobs) -> None:
    many = b"\x80\x02(" + b"K\x01" * 3_000_000 + b"t."
    began = time.monotonic()
    found = look(blobs, many, seconds=0.2).report
    assert time.monotonic() - began < 10  # a bound, not a speed: unbounded it would take far longer on any machine
    assert found.verdict == "unreadable"
    assert "longer than the scan may take" in found.detail
    bomb = zlib.compress(b"\x80\x04B\xff\xff\xff\x7f" + b"\0" * 50_000_000)
    assert "more bytes" in look(blobs, bomb, max_bytes=1_000_000).report.detail


def test_a_length_beyond_the_files_end_costs_no_memory(blobs: LocalBlobs) -> None:
    for data in (b"\x80\x04\x8e" + b"\xff" * 8, b"\x80\x04\x8b\xff\xff\xff\x7f", b"\x80\x04\x8d" + b"\xff" * 7 + b"\0"):
        assert look(blobs, data).report.verdict == "unreadable"


@given(
    data=st.binary(max_size=300),
    head=st.sampled_from([b"", b"\x80\x04", b"\x80\x02", b"PK\x03\x04", b"\x93NUMPY\x01\x00"]),
)
@example(data=b"\x8e" + b"\xff" * 8, head=b"")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
def test_no_bytes_make_the_scan_fail(blobs: LocalBlobs, data: bytes, head: bytes) -> None:
    for name in ("a.pkl", "a.bin"):
        assert look(blobs, head + data, name).report.verdict in ("none", "safe", "unknown", "unreadable", "dangerous")


@given(cut=st.integers(0, 3000), put=st.binary(min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_damaged_joblib_files_do_not_make_the_scan_fail(blobs: LocalBlobs, cut: int, put: bytes) -> None:
    data = dumped(arrays(Evil()))
    cut %= len(data)
    assert look(blobs, data[:cut] + put + data[cut + len(put) :]).report.verdict != "none"


def test_nothing_was_ever_loaded() -> None:
    assert not Path("/tmp/sendoff-scan-loaded-a-pickle").exists()
