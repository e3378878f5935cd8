from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sendoff.errors import InvalidInput, NotSupported
from sendoff.spec.inference_files import InferenceFile, parse_inference
from sendoff.spec.parse import read_file

CONDA = "name: inner\nchannels: [conda-forge]\ndependencies:\n- python=3.6.2\n- pip:\n  - azureml-defaults\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "score.py").write_text("")
    (source / "env.yml").write_text(CONDA)
    (source / "steps").write_text("RUN true\n")
    (tmp_path / "lone.py").write_text("")
    (tmp_path / "conf").mkdir()
    return tmp_path


def _load(project: Path, data: Any, name: str = "inferenceconfig.json", folder: str = ".") -> InferenceFile:
    path = project / folder / name
    path.write_text(json.dumps(data) if not isinstance(data, str) else data)
    return parse_inference(read_file(path), where=str(path), folder=path.parent, cwd=project)


def test_the_new_shape(project: Path) -> None:
    environment = {
        "name": "my-env",
        "python": {"condaDependencies": {"dependencies": ["python=3.6.2", {"pip": ["azureml-defaults"]}]}},
        "docker": {"enabled": False},
    }
    found = _load(
        project,
        {"entryScript": "score.py", "sourceDirectory": "./source", "environment": environment, "runtime": "python"},
    )
    assert found.entry_script == "score.py"
    assert Path(str(found.source_directory)) == project / "source"
    assert found.environment is not None and found.environment.name == "my-env"
    assert any("runtime" in note for note in found.notes)


def test_no_environment_is_left_to_flags(project: Path) -> None:
    found = _load(project, {"entryScript": "lone.py", "environment": None})
    assert found.environment is None and found.source_directory is None
    assert Path(found.entry_script) == project / "lone.py"


@pytest.mark.parametrize("steps", ["extraDockerfileSteps", "extraDockerFileSteps"])
def test_the_old_shape(project: Path, steps: str) -> None:
    found = _load(
        project,
        {
            "entryScript": "score.py",
            "runtime": "Python",
            "condaFile": "env.yml",
            steps: "steps",
            "sourceDirectory": "source",
            "enableGpu": "False",
            "baseImage": "registry/image:1",
            "baseImageRegistry": "registry.example",
            "cudaVersion": 9.0,
            "description": "d",
        },
    )
    assert found.environment is not None and found.description == "d"
    assert "python=3.6.2" in found.environment.python.conda_packages
    docker = found.environment.docker
    assert (docker.base_image, docker.extra_steps, docker.gpu_support) == ("registry/image:1", "RUN true\n", False)
    assert docker.base_image_registry == {"address": "registry.example"}


def test_yaml_with_empty_values(project: Path) -> None:
    text = "entryScript: score.py\nruntime: python\ncondaFile: env.yml\nextraDockerfileSteps:\nschemaFile:\n"
    text += "sourceDirectory: source\nenableGpu: False\nbaseImage:\nbaseImageRegistry:\n"
    found = _load(project, text, "ic.yml")
    assert found.environment is not None and found.environment.docker.base_image is None


def test_paths_start_from_the_working_directory_then_from_the_file(project: Path) -> None:
    (project / "conf" / "beside.py").write_text("")
    assert Path(_load(project, {"entryScript": "lone.py"}, folder="conf").entry_script) == project / "lone.py"
    beside = _load(project, {"entryScript": "beside.py"}, folder="conf").entry_script
    assert Path(beside) == project / "conf" / "beside.py"
    with pytest.raises(InvalidInput) as caught:
        _load(project, {"entryScript": "nowhere.py"}, folder="conf")
    assert str(project / "nowhere.py") in caught.value.hint
    assert str(project / "conf" / "nowhere.py") in caught.value.hint


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "entryScript"),
        ({"entryScript": ""}, "entryScript"),
        ({"entryScript": 5}, "entryScript"),
        ({"entryScript": "lone.py", "sourceDirectory": "gone"}, "sourceDirectory"),
        ({"entryScript": "lone.py", "sourceDirectory": "source"}, "entryScript"),
        ({"entryScript": "lone.py", "runtime": "ruby"}, "runtime"),
        ({"entryScript": "lone.py", "condaFile": "gone.yml"}, "condaFile"),
        ({"entryScript": "lone.py", "enableGpu": "perhaps"}, "enableGpu"),
        ({"entryScript": "lone.py", "cudaVersion": "8.0"}, "cudaVersion"),
        ({"entryScript": "lone.py", "extraDockerfileSteps": "gone"}, "extraDockerfileSteps"),
        ({"entryScript": "lone.py", "entryScrpt": "x"}, "entryScrpt"),
    ],
)
def test_what_is_wrong_is_named(project: Path, data: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        _load(project, data)
    assert caught.value.context.get("field") == field
    assert "inferenceconfig.json" in caught.value.message


def test_a_mistyped_key_names_the_nearest(project: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        _load(project, {"entryScript": "lone.py", "sourceDirectroy": "source"})
    assert "'sourceDirectory'" in caught.value.hint


def test_spark_is_not_supported(project: Path) -> None:
    with pytest.raises(NotSupported):
        _load(project, {"entryScript": "lone.py", "runtime": "spark-py"})
