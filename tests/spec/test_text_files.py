"""Files from elsewhere: other encodings, JSON that is none, YAML beyond what a file may be."""

from __future__ import annotations

import codecs
import json
import time
from pathlib import Path

import pytest

from sendoff.errors import InvalidInput
from sendoff.spec import deployment_files
from sendoff.spec.deployment_files import parse_deployment
from sendoff.spec.environment_files import read_conda_file, read_requirements_file
from sendoff.spec.inference_files import InferenceFile, parse_inference
from sendoff.spec.parse import parse_text, read_file


def load_inference(file: Path) -> InferenceFile:
    data = read_file(file, "inference configuration")
    return parse_inference(data, where=str(file), folder=file.parent, cwd=file.parent)


MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
}


@pytest.mark.parametrize("encoding", list(MARKED))
def test_text_is_read_by_its_mark(tmp_path: Path, encoding: str) -> None:
    def write(name: str, text: str) -> Path:
        (tmp_path / name).write_bytes(MARKED[encoding] + text.encode(encoding))
        return tmp_path / name

    assert read_file(write("a.json", '{"ü": 1}')) == {"ü": 1}
    assert read_file(write("a.yml", "ü: 1\n")) == {"ü": 1}
    assert read_requirements_file(write("requirements.txt", "numpy==1.26.4\n"), name="e")
    conda = read_conda_file(write("conda.yml", "dependencies:\n- python=3.11\n- pip:\n  - numpy\n"))
    assert conda.python.conda_packages == ["python=3.11"]


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ('// settings\n{"a": 1}', "line 1, column 1", "JSON has no comments"),
        ('{"a": 1, // one\n"b": 2}', "line 1", "JSON has no comments"),
        ('{"a": 1,\n}', "JSON", "no comma stands behind the last entry"),
        ("[1, 2, ]", "JSON", "no comma stands behind the last entry"),
        ("{'a': 1}", "line 1, column 2", "double quotes"),
    ],
)
def test_what_is_wrong_with_json_is_said_of_json(tmp_path: Path, text: str, says: str, hint: str) -> None:
    file = tmp_path / "inferenceconfig.json"
    file.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read_file(file, "inference configuration")
    assert str(file) in caught.value.message
    assert "JSON" in caught.value.message and says in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("name", ["i.json", "i.yml"])
@pytest.mark.parametrize("text", ['{"a": {"b": 1, "b": 2}}', '{"b": 1,\n"b": 1}'])
def test_a_key_that_is_there_twice_is_said_and_none_of_its_values_taken(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInput, match="the key 'b' is there twice"):
        read_file(tmp_path / name)
    (tmp_path / "merged.yml").write_text("x: &x {a: 1, b: 1}\ny: {<<: *x, b: 2}\n")  # that is what merging is for
    assert read_file(tmp_path / "merged.yml")["y"] == {"a": 1, "b": 2}


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3000))
BAD = {
    "deep list": ("[" * 200_000 + "]" * 200_000, "nested"),
    "deep mapping": ("".join(" " * n + f"k{n}:\n" for n in range(400)), "nested more than 100 levels"),
    "alias bomb": (BOMB, "aliases written out"),
    "chain of aliases": (CHAIN, "100 levels"),
    "alias in itself": ("a: &a [*a]\n", "own anchor"),
    "no date": ("when: 2020-99-99\n", "'2020-99-99' is no date"),
    "no time": ("when: 2020-01-01 99:99:99\n", "is no date"),
    "no whole number": ('n: !!int "abc"\n', "'abc' is no whole number"),
    "no number": ('n: !!float "abc"\n', "'abc' is no number"),
    "no truth": ('n: !!bool "abc"\n', "'abc' is no true or false"),
    "digits": (f"n: {'9' * 4400}\n", "is no whole number"),
    "hexadecimal digits": (f"n: 0x{'f' * 4400}\n", "is no whole number"),
}


@pytest.mark.parametrize("name", list(BAD))
@pytest.mark.parametrize("end", [".yml", ".json"])
def test_what_no_file_may_be_is_said_with_its_place_and_soon(tmp_path: Path, name: str, end: str) -> None:
    text, says = BAD[name]
    file = tmp_path / f"inference{end}"
    file.write_text(text)
    began = time.process_time()
    with pytest.raises(InvalidInput) as caught:
        load_inference(file)
    assert time.process_time() - began < 5
    assert str(file) in caught.value.message
    assert len(str(caught.value)) < 1000
    if end == ".yml":
        assert says in caught.value.message


def test_a_json_number_of_too_many_digits_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f'{{"n": {"9" * 4400}}}')
    with pytest.raises(InvalidInput, match="too many digits"):
        read_file(tmp_path / "a.json")


CONTAINERS = pytest.mark.parametrize(
    "value", [{"inner": ["entry"] * 1000}, [["entry"] * 1000]], ids=["mapping", "list"]
)


@CONTAINERS
@pytest.mark.parametrize("key", ["computeType", *deployment_files._KINDS["AKS"]])
def test_an_error_never_writes_out_what_it_found(key: str, value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_deployment({"computeType": "AKS", key: value}, where="d.json")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("value", [{"inner": ["entry"] * 1000}, [["entry"] * 1000]], ids=["mapping", "list"])
@pytest.mark.parametrize(
    "key", ["entryScript", "runtime", "sourceDirectory", "baseImage", "cudaVersion", "description"]
)
def test_an_inference_file_s_error_does_not_either(tmp_path: Path, key: str, value: object) -> None:
    (tmp_path / "i.json").write_text(json.dumps({"entryScript": "score.py", "runtime": "python", key: value}))
    with pytest.raises(InvalidInput) as caught:
        load_inference(tmp_path / "i.json")
    assert len(str(caught.value)) < 600


def test_what_a_file_may_be_is_read() -> None:
    text = "base: &base {a: 1, b: [1, 2.5, 2020-01-02, yes]}\nmore:\n  <<: *base\n  c: 0x1F\nagain: [*base, *base]\n"
    value = parse_text(text, "a.yml")
    assert value["more"]["c"] == 31
    assert value["again"][1]["a"] == 1
    deep: object = 1
    for _ in range(60):
        deep = [deep]
    assert parse_text(json.dumps(deep), "a.yml") == deep
