"""Flags stand over the inference configuration's own values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from sendoff.cli import inference_flags
from sendoff.cli.session import Session
from sendoff.errors import InvalidInput, NotSupported
from sendoff.spec.inference import InferenceSpec


@pytest.fixture(autouse=True)
def files(home: Path) -> None:
    Path("src").mkdir()
    script = "def init(): pass\ndef run(data): return data\n"
    Path("src/score.py").write_text(script)
    Path("alone.py").write_text(script)
    Path("env.yml").write_text("name: conda_env\ndependencies:\n- python=3.11\n")
    Path("ic.json").write_text(
        json.dumps({"entryScript": "score.py", "SourceDirectory": "src", "environment": {"name": "of_the_file"}})
    )


def inference(*argv: str) -> InferenceSpec | None:
    """What a command makes of these flags."""

    @click.command()
    @inference_flags.flags
    def command(**flags: Any) -> InferenceSpec | None:
        return inference_flags.inference(Session(), flags)

    result: InferenceSpec | None = command.main(list(argv), standalone_mode=False)
    return result


def test_no_flag_says_nothing():
    assert inference() is None


def test_the_file_alone():
    spec = inference("-ic", "ic.json")
    assert spec is not None and spec.environment is not None
    assert spec.environment.name == "of_the_file"
    assert spec.source.entry_script == "src/score.py"


def test_a_registered_environment_stands_over_the_files():
    spec = inference("--ic", "ic.json", "-e", "mine", "--ev", "3")
    assert spec is not None and spec.environment_ref is not None
    assert (spec.environment_ref.name, spec.environment_ref.version) == ("mine", "3")
    assert spec.environment is None


def test_a_conda_file_stands_over_the_files_environment():
    spec = inference("--ic", "ic.json", "--cf", "env.yml")
    assert spec is not None and spec.environment is not None
    assert spec.environment.python.conda_packages == ["python=3.11"]


def test_flags_need_no_file():
    spec = inference("--es", "alone.py", "--cf", "env.yml")
    assert spec is not None
    assert (spec.source.entry_script, spec.source.source_directory) == ("alone.py", None)
    spec = inference("--es", "score.py", "--sd", "src", "--cf", "env.yml", "--bi", "image:1", "--eg")
    assert spec is not None and spec.environment is not None
    assert spec.source.source_directory == "src"
    assert (spec.environment.docker.base_image, spec.environment.docker.gpu_support) == ("image:1", True)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("--sd src --cf env.yml", "--entry-script is missing"),
        ("--es alone.py", "no environment"),
        ("--es alone.py --cf env.yml -e mine", "exclude each other"),
        ("--es alone.py --ed a --cf env.yml", "exclude each other"),
        ("--ic ic.json --ev 1", "--environment-version"),
        ("--ic absent.json", "absent.json"),
        ("--es absent.py --cf env.yml", "absent.py"),
        ("--es alone.py -e mine --bi image:1", "would do nothing beside --environment-name"),
        ("--es alone.py --ed a --eg --ir reg", "--base-image-registry and --enable-gpu would do nothing"),
        ("--bi image:1", "would do nothing: a service without code"),
        ("--es alone.py --cf env.yml --cv 10.0", "--cuda-version would do nothing"),
        ("--es alone.py --cf absent.yml", "absent.yml"),
    ],
)
def test_what_is_wrong_is_named(argv: str, said: str):
    with pytest.raises(InvalidInput) as caught:
        inference(*argv.split())
    assert said in str(caught.value)


def test_spark_is_not_there():
    with pytest.raises(NotSupported):
        inference("--es", "alone.py", "--rt", "spark-py")
