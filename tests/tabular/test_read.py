"""Rows of delimited text, JSON lines and Parquet."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendoff.errors import InvalidInput
from sendoff.spec.dataset import Change, ColumnType, DatasetDefinition, DataSource, Reading
from sendoff.tabular import DataFile, Table, column_of_texts, read_table

LINES = Reading(separator="\n", header="none")


def table(reading: Reading, *contents: bytes, changes: tuple[Change, ...] = ()) -> Table:
    return read_table(definition(reading, changes), files(*contents))


def definition(reading: Reading, changes: tuple[Change, ...] = ()) -> DatasetDefinition:
    return DatasetDefinition(kind="tabular", sources=[DataSource(path="x")], reading=reading, changes=list(changes))


def files(*contents: bytes) -> list[DataFile]:
    return [DataFile(f"f{n}.csv", lambda data=data: io.BytesIO(data)) for n, data in enumerate(contents)]


@given(
    st.lists(
        st.text(min_size=1).filter(
            lambda t: "\n" not in t and not t.endswith("\r") and t.encode("utf-8", "ignore").decode() == t
        ),
        min_size=1,
    )
)
def test_with_the_line_end_as_separator_every_line_comes_through_to_the_byte(rows: list[str]) -> None:
    if rows[0].startswith("\ufeff"):
        return  # a byte order mark at a file's beginning is none of its text
    assert column_of_texts(definition(LINES), files("\n".join(rows).encode())) == rows


def test_json_with_commas_and_quotes_is_one_column_of_text() -> None:
    bodies = [
        json.dumps({"data": [[1, 2], ["a,b", 'say "hi"', "it's \u2028 \x85"]]}, ensure_ascii=False),
        '"',
        "1",
        "001.50",
    ]
    found = table(LINES, ("\r\n".join(bodies) + "\r\n").encode())
    assert found.columns == ["Column1"]
    assert found.column("Column1") == bodies
    assert column_of_texts(definition(LINES), files("\n".join(bodies).encode())) == bodies


def test_numbers_that_are_request_bodies_stay_as_they_are_written() -> None:
    assert column_of_texts(definition(LINES), files(b"1\n2.50\n3e1\n")) == ["1", "2.50", "3e1"]
    assert table(LINES, b"1\n2.50\n3e1\n").column("Column1") == [1.0, 2.5, 30.0]


def test_types_are_inferred_where_a_whole_column_allows_it() -> None:
    csv = b"n,x,flag,when,zip,mixed\n1,1.5,true,2020-04-01T10:00:00Z,01234,1\n,2,False,2020-04-02,99999,a\n"
    found = table(Reading(), csv)
    assert found.column("n") == [1, None]
    assert found.column("x") == [1.5, 2.0]
    assert found.column("flag") == [True, False]
    assert found.column("when") == [datetime(2020, 4, 1, 10, tzinfo=UTC), datetime(2020, 4, 2)]
    assert found.column("zip") == ["01234", "99999"]
    assert found.column("mixed") == ["1", "a"]


def test_types_that_are_set_win_and_a_text_that_is_none_of_them_is_named() -> None:
    reading = Reading(
        column_types={"a": ColumnType(kind="string"), "b": ColumnType(kind="float", decimal_mark=",")}, separator=";"
    )
    assert table(reading, b"a;b\n1;1,5\n").rows == [["1", 1.5]]
    with pytest.raises(InvalidInput, match="column 'b', row 1: 'x' is no float"):
        table(reading, b"a;b\n1;x\n")
    with pytest.raises(InvalidInput, match="no column 'b'"):
        table(reading, b"a\n1\n")


@pytest.mark.parametrize(
    ("header", "columns", "rows"),
    [
        ("none", ["Column1", "Column2"], [["a", "b"], ["1", "2"], ["a", "c"], ["3", "4"]]),
        ("first", ["a", "b"], [["1", "2"], ["a", "c"], ["3", "4"]]),
        ("all", ["a", "b", "c"], [["1", "2", None], ["3", None, "4"]]),
        ("combine", ["a", "b", "c"], [["1", "2", None], ["3", None, "4"]]),
    ],
)
def test_headers_are_in_no_file_in_the_first_or_in_each(header: str, columns: list[str], rows: list[object]) -> None:
    found = table(Reading(header=header, infer_column_types=False), b"a,b\n1,2\n", b"a,c\n3,4\n")
    assert (found.columns, found.rows) == (columns, rows)


def test_a_table_of_a_header_alone_has_its_columns_and_no_rows() -> None:
    found = table(Reading(), b"a,b\n")
    assert (found.columns, found.rows) == (["a", "b"], [])


def test_quotes_hold_separators_and_line_ends_only_where_asked() -> None:
    assert table(Reading(), b'a,b\n"x,y","say ""hi"""\n').rows == [["x,y", 'say "hi"']]
    assert table(Reading(multi_line=True), b'a,b\n"x\ny",2\n').rows == [["x\ny", 2]]
    with pytest.raises(InvalidInput, match=r"f0.csv, line 3: 3 fields, but the header has 2"):
        table(Reading(), b'a,b\n1,2\n"y,2,3,4",5,6\n')


def test_a_field_of_a_megabyte_is_read() -> None:
    assert len(table(Reading(), b"a,b\n" + b"x" * 1_000_000 + b",2\n").rows[0][0]) == 1_000_000


def test_encodings() -> None:
    assert table(Reading(encoding="latin1"), "a\nü\n".encode("latin-1")).rows == [["ü"]]
    assert table(Reading(encoding="utf16"), "a\nü\nöx\n".encode("utf-16")).rows == [["ü"], ["öx"]]
    assert table(Reading(), b"\xef\xbb\xbfa\n1\n").columns == ["a"]
    with pytest.raises(InvalidInput, match=r"f0\.csv, line 2: byte 1 is not utf8"):
        table(Reading(), b"a\n\xff\n")


def test_rows_and_columns_can_be_taken_left_out_and_named_by_file() -> None:
    changes = (
        Change(action="skip", count=1),
        Change(action="take", count=1),
        Change(action="keep", columns=["b", "Path"]),
    )
    found = table(Reading(include_path=True), b"a,b\n1,2\n3,4\n5,6\n", changes=changes)
    assert (found.columns, found.rows) == (["b", "Path"], [[4, "f0.csv"]])
    with pytest.raises(InvalidInput, match="no column 'bb'") as caught:
        table(Reading(), b"a,b\n1,2\n", changes=(Change(action="drop", columns=["bb"]),))
    assert "Did you mean 'b'" in caught.value.hint or "Columns: a, b" in caught.value.hint


def test_a_take_reads_no_more_than_it_needs() -> None:
    assert table(Reading(), b"a\n1\n2\n\xff\n", changes=(Change(action="take", count=2),)).rows == [[1], [2]]


def test_json_lines_give_a_column_a_key() -> None:
    reading = Reading(form="json_lines")
    found = table(reading, b'{"a": 1, "b": "x"}\n{"b": "y", "c": [1]}\n')
    assert (found.columns, found.rows) == (["a", "b", "c"], [[1, "x", None], [None, "y", [1]]])
    with pytest.raises(InvalidInput, match="line 1: not a JSON object"):
        table(reading, b"[1]\n")
    assert table(Reading(form="json_lines", invalid_lines="drop"), b'nonsense\n{"a": 1}\n').rows == [[1]]


def test_parquet(tmp_path) -> None:
    import pyarrow
    from pyarrow import parquet

    file = tmp_path / "x.parquet"
    parquet.write_table(pyarrow.table({"a": [1, None], "b": ["x", "y"]}), file)
    assert table(Reading(form="parquet"), file.read_bytes()).rows == [[1, "x"], [None, "y"]]
    with pytest.raises(InvalidInput, match="not a Parquet file"):
        table(Reading(form="parquet"), b"nothing")


def test_request_bodies_need_one_column_of_text_and_at_least_one_row() -> None:
    with pytest.raises(InvalidInput, match="has 2 columns"):
        column_of_texts(definition(Reading()), files(b"a,b\n1,2\n"))
    with pytest.raises(InvalidInput, match="has no rows"):
        column_of_texts(definition(Reading()), files(b"a\n"))
    with pytest.raises(InvalidInput, match="not text"):
        column_of_texts(definition(Reading(form="json_lines")), files(b'{"a": 1}\n'))
