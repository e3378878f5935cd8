"""What is advised when a script cannot import a module."""

from __future__ import annotations

import pytest

from sendoff.targets.failures import failure


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ModuleNotFoundError: No module named 'numpy._core'", "written with numpy 2"),
        ("ModuleNotFoundError: No module named 'sklearn.externals'", "'sklearn' is there, but not this part"),
        ("ModuleNotFoundError: No module named 'pandas'", ""),
        ("ModuleNotFoundError: No module named 'azureml.train'", ""),
        ("ValueError: No module named 'pandas.x'", ""),
    ],
)
def test_a_missing_module_is_advised_on(words: str, expected: str) -> None:
    error = failure({"code": "script_failed", "message": f"User's init function failed: {words}"}, "")
    assert expected in error.hint and bool(error.hint) == bool(expected)


def test_a_hint_of_the_target_stands() -> None:
    given = {"code": "script_failed", "message": "ModuleNotFoundError: No module named 'x'", "hint": "look there"}
    assert failure(given, "").hint == "look there"
