"""What -o and --query make of a result."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
import yaml

from sendoff.cli.errors import tell
from sendoff.cli.output import FORMATS, render, search
from sendoff.cli.readable import readable
from sendoff.errors import InvalidInput

ROWS = [
    {"id": "a:1", "version": 1, "tags": {"area": "mnist"}, "files": [{"path": "x"}], "note": None},
    {"id": "모델:2", "version": 2, "tags": {}, "files": [], "note": "two\nlines\tand a tab"},
]


def test_people_read_times_and_sizes_and_programs_get_them_as_they_are():
    record = {"id": "m:1", "size": 5243871, "createdTime": "2026-11-30T14:05:07.123+00:00", "tags": {"size": "3"}}
    assert readable(record)["size"] == "5.24 MB"
    assert re.fullmatch(r"2026-1[12]-\d\d \d\d:\d\d", readable(record)["createdTime"])
    assert readable({"size": 999}) == {"size": "999 bytes"} and readable({"maxBytes": 65_536}) == {
        "maxBytes": "65.5 kB"
    }
    assert readable({"size": 1_000_000}) == {"size": "1 MB"} and readable({"version": 7}) == {"version": 7}
    assert "5243871" in render(record, "json") and "14:05:07.123" in render(record, "table")


def test_records_without_room_beside_each_other_stand_below_each_other():
    rows = [{"name": "diabetes", "uri": "http://127.0.0.1:28764/score"}, {"name": "iris", "uri": None}]
    columns = (("Name", "name"), ("Scoring URI", "uri"))
    wide = render(rows, "table", columns, width=80).splitlines()
    assert wide[0].split() == ["Name", "Scoring", "URI"]
    narrow = render(rows, "table", columns, width=30)
    assert narrow.split("\n\n")[0].splitlines() == [
        "Name         diabetes",
        "Scoring URI  http://127.0.0.1:28764/score",
    ]
    assert render(rows, "table", columns, width=None).splitlines() == wide, "a pipe has no width"


def test_json_and_yaml_come_back_as_they_went():
    assert json.loads(render(ROWS, "json")) == ROWS
    assert yaml.safe_load(render(ROWS, "yaml")) == ROWS
    assert json.loads(render(ROWS, "jsonc")) == ROWS  # no colours where stdout is no terminal


def test_none_prints_nothing():
    assert render(ROWS, "none") == ""


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("[0].id", "a:1"),
        ("[].id", "a:1\n모델:2"),
        ("[].[id, version]", "a:1\t1\n모델:2\t2"),
        ("[?version==`9`]", ""),
        ("[0].note", ""),
        ("[1].note", "two lines and a tab"),
        ("length(@)", "2"),
    ],
)
def test_tsv_is_one_line_a_record_and_a_bare_scalar_for_a_scalar(query: str, text: str):
    assert render(search(query, ROWS), "tsv") == text


def test_a_table_shows_the_commands_own_columns_aligned_also_with_wide_characters():
    lines = render(ROWS, "table", (("Id", "id"), ("Tags", "tags"), ("File", "files[0].path"))).splitlines()
    assert lines[0].split() == ["Id", "Tags", "File"]
    assert lines[2] == "a:1     area=mnist  x"
    assert lines[3] == "모델:2"


def test_a_table_without_columns_leaves_out_what_is_nested():
    shown = render(ROWS, "table")
    assert "files" not in shown
    assert "area=mnist" in shown


def test_a_record_becomes_a_line_for_each_field():
    assert render({"name": "x", "version": 1}, "table") == "name     x\nversion  1"


def test_scalars_and_lists_of_lists_are_tables_too():
    assert render(["a", "b"], "table") == "Result\n------\na\nb"
    assert render([["a", 1]], "table").splitlines()[-1] == "a        1"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("value", [[], {}, None, "text", 3, True, [None], [{}], [{"a": None}, {"b": {"c": [1]}}], [[]]])
def test_every_form_takes_every_value(form: str, value: object):
    assert isinstance(render(value, form), str)


def test_a_query_that_is_no_jmespath_is_a_wrong_flag():
    with pytest.raises(InvalidInput, match="not JMESPath"):
        search("[", ROWS)


HOSTILE = "a\x1b[2J\x9b31m\u202eexe.txt\x07\x7f\u2028\rb\ud800"
"""Clears the screen, colours, turns what follows, rings, and comes back to the line's beginning."""


@pytest.mark.parametrize("form", ["json", "jsonc", "table", "tsv", "yaml"])
@pytest.mark.parametrize(
    "data",
    [
        [{"name": "m", "description": HOSTILE, "tags": {HOSTILE: HOSTILE}, "list": [HOSTILE]}],
        {"name": HOSTILE, "tags": {"deep": {HOSTILE: HOSTILE}}},
        {HOSTILE: "a key"},
        [[HOSTILE]],
        HOSTILE,
    ],
    ids=["records", "record", "keys", "rows", "text"],
)
def test_no_form_hands_controls_to_a_terminal(form: str, data: object) -> None:
    text = render(data, form)
    assert text
    kinds = {unicodedata.category(character) for character in text if character not in "\t\n"}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl"}
    if form != "yaml" and not (form == "tsv" and HOSTILE in data):  # az's TSV has no keys
        assert "1b" in text and "202e" in text
    if form == "json":
        assert json.loads(text) == data


def test_other_letters_stay_as_they_are() -> None:
    plain = {"name": "größe 模型 é 👩\u200d🔬"}
    assert json.loads(render(plain, "json")) == plain
    assert "größe 模型 é 👩\u200d🔬" in render(plain, "table")


def test_messages_show_controls(capsys: pytest.CaptureFixture[str]) -> None:
    tell(f"error: {HOSTILE}\nhint: two\tlines")
    assert capsys.readouterr().err == (
        "error: a\\x1b[2J\\x9b31m\\u202eexe.txt\\x07\\x7f\\u2028\\x0db\\ud800\nhint: two\tlines\n"
    )
