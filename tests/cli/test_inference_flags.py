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
from sendoff.spec.inference import EnvironmentReference, InferenceSpec
from sendoff.spec.parse import replace


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


def inference(*argv: str, present: InferenceSpec | None = None) -> InferenceSpec | None:
    """What a command makes of these flags; ``present`` is what an updated service has."""

    @click.command()
    @inference_flags.flags
    def command(**flags: Any) -> InferenceSpec | None:
        return inference_flags.inference(Session(), flags, (lambda: present) if present else None)

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


@pytest.mark.parametrize(
    ("name", "text", "conda", "pip"),
    [
        ("requirements.txt", "# ours\nscikit-learn==1.5.0\njoblib\n", [], ["scikit-learn==1.5.0", "joblib"]),
        ("needed", "scikit-learn; python_version >= '3.8'\n", [], ["scikit-learn; python_version >= '3.8'"]),
        ("conda.txt", "# exported\nname: x\ndependencies:\n- python=3.10\n", ["python=3.10"], []),
        ("environment.json", '{"name": "j", "python": {"condaDependencies": {"dependencies": ["python=3.9"]}}}',
         ["python=3.9"], []),
        ("folder/azureml_environment.json",
         '{"name": "j", "python": {"condaDependencies": {"dependencies": ["python=3.8"]}}}', ["python=3.8"], []),
    ],
)  # fmt: skip
def test_a_file_of_packages_is_told_by_what_it_holds(name: str, text: str, conda: list[str], pip: list[str]):
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text)
    spec = inference("--es", "alone.py", "--cf", name.partition("/")[0])
    assert spec is not None and spec.environment is not None
    assert (spec.environment.python.conda_packages, spec.environment.python.pip_packages) == (conda, pip)


@pytest.mark.parametrize("name", ["requirements.txt", "environment.yml"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# platform: linux-64\n_libgcc_mutex=0.1=main\nnumpy=1.21.5=py38h_0\n", "by `conda list`"),
        ("# platform: linux-64\n@EXPLICIT\nhttps://x.example/numpy-1.21.5-py38h_0.conda\n", "by `conda list`"),
        ("\n\n<!DOCTYPE html>\n<html lang='en'>\n", "is a web page"),
    ],
)
def test_a_file_that_is_no_list_of_packages_is_told_by_what_it_is(name: str, text: str, said: str):
    Path(name).write_text(text)
    with pytest.raises(InvalidInput) as caught:
        inference("--es", "alone.py", "--cf", name)
    assert said in caught.value.message and name in caught.value.message and caught.value.hint


def present(*argv: str) -> InferenceSpec:
    """What a service has that was deployed with these flags."""
    spec = inference(*argv)
    assert spec is not None
    return replace(spec, environment=None, environment_ref=EnvironmentReference(name="built", version="1"))


def test_an_update_keeps_the_environment_that_is_not_given():
    before = present("--es", "alone.py", "--cf", "env.yml")
    Path("other.py").write_text("def init(): pass\ndef run(data): return 2\n")
    spec = inference("--es", "other.py", present=before)
    assert spec is not None
    assert (spec.source.entry_script, spec.environment, spec.environment_ref) == (
        "other.py",
        None,
        before.environment_ref,
    )


@pytest.mark.parametrize("code", ["--es alone.py", "--es score.py --sd src"])
def test_an_update_keeps_the_code_that_is_not_given(code: str):
    before = present(*code.split(), "--cf", "env.yml")
    spec = inference("-e", "mine", present=before)
    assert spec is not None and spec.environment_ref is not None
    assert (spec.source, spec.environment_ref.name) == (before.source, "mine")
    Path("requirements.txt").write_text("joblib\n")
    spec = inference("--cf", "requirements.txt", present=before)
    assert spec is not None and spec.environment is not None
    assert (spec.source, spec.environment.python.pip_packages) == (before.source, ["joblib"])
    Path("src2").mkdir()
    Path("src2", Path(before.source.entry_script).name).write_text("def init(): pass\ndef run(data): return 3\n")
    spec = inference("--sd", "src2", present=before)
    assert spec is not None
    assert spec.source.entry_script == f"src2/{Path(before.source.entry_script).name}"
    assert spec.environment_ref == before.environment_ref


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
