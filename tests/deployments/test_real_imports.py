"""What a script imports is imported in its new environment before a bundle is made; what fails is told with a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment_rigs import WS
from environments import unfitting
from environments.unfitting import USES_APP
from test_real_services import RealRig

from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.inference import InferenceSpec
from sendoff.spec.parse import replace


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealRig]:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with unfitting.serve(tmp_path / "index") as address:
        monkeypatch.setenv("SENDOFF_INDEX_URL", address)
        rig = RealRig(tmp_path / "home")
        yield rig
        rig.close()


def inference(rig: RealRig, script: bytes, *lines: str, as_of: str = "auto") -> InferenceSpec:
    spec = EnvironmentSpec(name="env", python=PythonSpec(pip_packages=list(lines), as_of=as_of))
    return replace(rig.inference(script), environment=spec)


def test_packages_of_another_day_are_tried_once_where_the_newest_do_not_go_together(real: RealRig) -> None:
    operation = real.deploy(inference=inference(real, USES_APP, "tiny-app==1.0"))
    assert operation.state == "Succeeded", operation
    assert real.score(real.deployments.get(WS, "svc")) == "as then"
    (said,) = [note for note in operation.notes if "cannot import name 'gone'" in note]
    assert "score.py, line 1: tiny_app 1.0 cannot be imported" in said
    assert "is the day whose packages are taken instead" in said
    # The lock that works is kept: the next deployment finds it, and has nothing to try.
    operation = real.deploy("again", inference=inference(real, USES_APP, "tiny-app==1.0"))
    assert operation.state == "Succeeded", operation
    assert not any("cannot import" in note for note in operation.notes)


@pytest.mark.parametrize(
    ("script", "lines", "told", "line"),
    [
        (USES_APP, ["tiny-app==1.0"], "score.py, line 1: tiny_app 1.0 cannot be imported", "as_of: YYYY-MM-DD"),
        (b"import json\nimport cv2\n\n" + USES_APP, ["tiny-base"],
         "score.py, line 2: the environment has no module 'cv2'", "'opencv-python-headless'"),
        (b"import tiny_numpy\n" + USES_APP, ["tiny-numpy"], "numpy.dtype size changed", "'numpy<2'"),
        (b"import tiny_crash\n" + USES_APP, ["tiny-crash"],
         "score.py, line 1: tiny_crash 1.0 cannot be imported in the environment: SIGSEGV", "tiny_crash"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_ends_the_deployment_before_a_bundle(
    real: RealRig, script: bytes, lines: list[str], told: str, line: str
) -> None:
    operation = real.deploy(inference=inference(real, script, *lines, as_of="never"))
    assert operation.state == "Failed"
    assert operation.error is not None
    assert operation.error["code"] == "environment_failed"
    assert told in operation.error["message"]
    assert line in operation.error["hint"]
    assert (real.step(operation, "environment"), real.step(operation, "bundle")) == ("failed", "skipped")


def test_what_a_script_thinks_of_itself_is_left_to_it(real: RealRig) -> None:
    script = b"""\
import os, sys
try:
    import tiny_gone
except ImportError:
    tiny_gone = None
if os.environ.get("NEVER"):
    import tiny_never
sys.path.append(os.path.join(os.path.dirname(__file__), "vendored"))
import tiny_vendored

def init():
    pass

def run(data):
    import tiny_seldom
"""
    inference_ = inference(real, script, "tiny-base")
    digest, size = real.core.store.blobs.put_bytes(b"")
    vendored = replace(inference_.source.files[0], path="vendored/tiny_vendored.py", digest=digest, size=size)
    source = replace(inference_.source, files=[*inference_.source.files, vendored])
    operation = real.deploy(inference=replace(inference_, source=source))
    assert operation.state == "Succeeded", operation
