"""What of a request's values becomes what a model takes: nothing becomes another value on the way, or it is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sendoff.frameworks.scoring import tensors
from sendoff.frameworks.scoring.columns import Column, Columns
from sendoff_serving.worker.answer import Refusal


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([2**40], "int32", "out of its range"),
        ([-1], "uint8", "out of its range"),
        ([1.5], "int64", "fractions"),
        ([float("nan")], "int64", "fractions"),
        ([2.0**60, 0.5], "int64", "fractions"),
        ([2.0**60], "int64", "not exact"),
        ([2], "bool", "other than 0 and 1"),
        ([1e300], "float32", "out of its range"),
        ([None], "float32", "not numbers"),
        (["1"], "float32", "not numbers"),
    ],
)
def test_a_tensor_of_another_kind_holds_the_same_numbers_or_is_refused(values, kind, words) -> None:
    with pytest.raises(ValueError, match=words):
        tensors.cast(np.array(values), kind)


def test_a_tensor_may_be_narrower_where_the_numbers_are_the_same() -> None:
    assert tensors.cast(np.array([1.0, 2.0]), "int8").tolist() == [1, 2]
    assert tensors.cast(np.array([0, 1]), "bool").tolist() == [False, True]
    assert tensors.cast(np.array([True]), "float32").tolist() == [1.0]
    assert np.isinf(tensors.cast(np.array([float("inf")]), "float32")).all()


ROWS = {"data": [{"b": 1, "a": 2}]}


@pytest.mark.parametrize(
    ("columns", "payload", "words"),
    [
        (Columns(None, 2), ROWS, "does not know the names"),
        (Columns(None, None), ROWS, "does not know the names"),
        (Columns(None, 2), {"data": {"x": {"0": 1}, "y": {"0": 2}}}, "columns or rows"),
        (Columns(["a"], None), {"data": {"columns": ["a", "a"], "data": [[1, 2]]}}, "more than once"),
        (Columns(["a", "b"], None), {"data": [{"a": 1, "b": 2}, {"a": 1}]}, "Not all rows have b"),
        (Columns(["a"], None), {"data": [[1]], "inputs": [[2]]}, "send one of them"),
        (Columns(["a"], None, {0: Column(["1", "2"])}), {"data": [{"a": 1}]}, "takes texts"),
        (Columns(["a"], None, {0: Column([1, 2])}), {"data": [{"a": "1"}]}, "takes numbers"),
        (Columns(["a"], None, {0: Column(["x"], closed=True)}), {"data": [{"a": "y"}]}, "no category 'y'"),
    ],
)
def test_rows_whose_columns_cannot_be_told_are_refused(columns, payload, words) -> None:
    with pytest.raises(Refusal, match=words):
        columns.read(payload)


def test_columns_without_names_may_be_named_by_their_places() -> None:
    assert Columns(None, 2).read({"data": [{"1": 5, "0": 4}]}).rows == [[4, 5]]
    assert Columns(["a"], None).read({"data": [{"a": 1, "more": 2}, {"a": 3}]}).rows == [[1], [3]]


def test_a_csv_body_is_read_as_what_its_columns_are() -> None:
    known = {0: Column(["007", "7"]), 1: Column(["", "x"]), 2: Column([False, True])}
    columns = Columns(["code", "place", "flag", "size"], None, known)
    body = b"code,place,flag,size\n007,,True,1_0\n7,x,False,\n"
    assert columns.read(columns.read_csv(body)).rows == [["007", "", True, "1_0"], ["7", "x", False, None]]
    nullable = Columns(["place"], None, {0: Column(["", "x", None])})
    with pytest.raises(Refusal, match="cannot be told in CSV"):
        nullable.read_csv(b"place,size\n,1\n")
    with pytest.raises(Refusal, match="Line 3"):
        columns.read_csv(b"a,b\n1,2\n1\n")


def test_missing_values_are_what_the_model_was_fitted_with() -> None:
    columns = Columns(["a", "b"], None, {0: Column(["x", None], null=None)})
    assert columns.array(columns.read({"data": [[None, None], ["x", "y"]]})).tolist()[0][0] is None
    assert np.isnan(columns.array(columns.read({"data": [[None, None], ["x", "y"]]})).tolist()[0][1])
    assert Columns(None, 2).numbers(Columns(None, 2).read({"data": [[2**53 + 1, 0.5]]})) is None
