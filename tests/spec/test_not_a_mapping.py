"""A configuration file that holds no mapping: the error has the words of JSON and YAML, not those of Python."""

from __future__ import annotations

import pytest

from sendoff.errors import InvalidInput
from sendoff.spec import environment_files
from sendoff.spec.dataset_files import parse_dataset_file
from sendoff.spec.deployment_files import load_deployment
from sendoff.spec.inference_files import parse_inference
from sendoff.spec.parse import in_words, read_file

CASES = [
    ("", "is empty (null)"),
    ("# a comment alone\n", "is empty (null)"),
    ("null", "is empty (null)"),
    ("[]", "is empty (an empty list)"),
    ("[1]", "holds a list"),
    ("- computeType: local\n", "holds a list"),
    ("local", "holds the text 'local'"),
    ("8080", "holds the number 8080"),
    ("true", "holds true"),
]


@pytest.mark.parametrize("name", ["c.json", "c.yml"])
@pytest.mark.parametrize(("text", "said"), CASES)
def test_each_file_says_what_it_holds_and_what_was_expected(tmp_path, name, text, said) -> None:
    file = tmp_path / name
    file.write_text(text)
    readers = {
        "'computeType'": load_deployment,
        "'entryScript'": lambda path: parse_inference(
            read_file(path), where=str(path), folder=path.parent, cwd=path.parent
        ),
        "a mapping": lambda path: parse_dataset_file(read_file(path), str(path)),
    }
    for expected, read in readers.items():
        with pytest.raises(InvalidInput) as caught:
            read(file)
        assert caught.value.message.startswith(f"{file} {said}; ")
        assert expected in caught.value.message
        assert caught.value.hint
        assert "NoneType" not in str(caught.value)


def test_a_group_of_a_file_says_its_path_and_its_keys(tmp_path) -> None:
    file = tmp_path / "d.json"
    file.write_text('{"computeType": "aci", "containerResourceRequirements": [2]}')
    with pytest.raises(InvalidInput, match=r"d\.json: containerResourceRequirements holds a list; a map") as caught:
        load_deployment(file)
    assert "memoryInGB" in caught.value.hint
    file.write_text('{"computeType": "local", "port": true}')
    with pytest.raises(InvalidInput, match="a whole number was expected, not true"):
        load_deployment(file)


def test_an_environment_file_too(tmp_path) -> None:
    file = tmp_path / "e.json"
    file.write_text("[1]")
    with pytest.raises(InvalidInput, match="holds a list; a mapping was expected"):
        environment_files.load(file)
    (tmp_path / "e.yml").write_text("- python=3.11\n- numpy\n")
    with pytest.raises(InvalidInput) as caught:
        environment_files.load(tmp_path / "e.yml")
    assert "'dependencies:'" in caught.value.hint


def test_long_texts_are_cut_and_dates_are_named() -> None:
    import datetime

    assert in_words("a" * 60) == f"the text '{'a' * 40}…'"
    assert in_words(datetime.date(2026, 1, 2)) == "the date 2026-01-02"
