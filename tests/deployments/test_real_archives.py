"""Wheels of this machine that an environment names: their content counts, and the store keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment_rigs import WS
from environments.wheels import make_wheel
from test_real_services import RealRig

from sendoff.client import Transfer, connect
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.environment_files import load
from sendoff.spec.inference import InferenceSpec
from sendoff.spec.parse import replace

SCRIPT = b"import pricing\n\n\ndef init():\n    pass\n\n\ndef run(data):\n    return pricing.PRICE\n"


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealRig]:
    for name, value in {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "SENDOFF_OFFLINE": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    rig = RealRig(tmp_path / "home")
    yield rig
    rig.close()


def inference(rig: RealRig, environment: EnvironmentSpec) -> InferenceSpec:
    with connect(home=rig.home) as client:
        kept = Transfer(client).put_environment(environment)
    return replace(rig.inference(SCRIPT), environment=kept)


def wheel(folder: Path, price: int) -> Path:
    folder.mkdir(exist_ok=True)
    return make_wheel(folder, "pricing", "0.3.0", code=f"PRICE = {price}\n")


@pytest.mark.parametrize(
    "lines", ["- ./dist/pricing-0.3.0-py3-none-any.whl", "- --find-links ./dist\n    - pricing==0.3.0"]
)
def test_a_wheel_that_is_built_again_under_its_name_is_another_environment(
    real: RealRig, tmp_path: Path, lines: str
) -> None:
    file = tmp_path / "environment.yml"
    file.write_text(f"name: prices\ndependencies:\n- pip:\n    {lines}\n")
    made = wheel(tmp_path / "dist", 1)
    assert real.deploy(inference=inference(real, load(file))).state == "Succeeded"
    assert real.score(real.deployments.get(WS, "svc")) == 1

    wheel(tmp_path / "dist", 2)
    operation = real.deploy(inference=inference(real, load(file)), overwrite=True)
    assert operation.state == "Succeeded", operation
    assert real.score(real.deployments.get(WS, "svc")) == 2
    assert real.deployments.get(WS, "svc").environment == "prices:2"

    # What the first revision ran with is in the store, whatever became of the file.
    made.unlink()
    real.garbage.collect(grace_seconds=0.0)
    for key in real.core.environments.present():
        real.core.environments.remove(key.key)
    real.core.environments.register(WS, EnvironmentSpec(name="other", python=PythonSpec()))
    first = real.core.environments.get(WS, "prices", "1").spec
    lock = real.core.environments.resolve(first)
    assert str(tmp_path) not in lock.requirements
    built = real.core.environments.ensure(lock)
    assert "PRICE = 1" in next(built.python.parent.parent.glob("lib/*/site-packages/pricing.py")).read_text()


def test_where_a_wheel_lies_does_not_count(real: RealRig, tmp_path: Path) -> None:
    versions = []
    for folder in ("here", "there"):
        line = f"pricing @ {wheel(tmp_path / folder, 1).as_uri()}"
        spec = EnvironmentSpec(name="prices", python=PythonSpec(pip_packages=[line]))
        kept = inference(real, spec).environment
        assert kept is not None
        versions.append(real.core.environments.register(WS, kept).version)
    assert versions == ["1", "1"]
