"""Every error has an exit code, and is printed so that a person knows what to do."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest

from sendoff.cli import errors
from sendoff.errors import InvalidInput, ScriptFailed, SendoffError, table


def test_every_error_code_has_an_exit_code_and_every_exit_code_a_meaning():
    assert set(errors.EXIT_CODES) == set(table())
    assert set(errors.EXIT_CODES.values()) <= set(errors.MEANINGS)


def test_a_code_that_a_newer_server_sent_ends_with_1():
    newer = SendoffError("?")
    newer.code = "of_the_future"  # type: ignore[misc]
    assert errors.exit_code(newer) == errors.BUG


def test_docs_errors_md_is_what_the_table_says():
    page = Path(__file__).parents[2] / "docs" / "errors.md"
    assert page.read_text(encoding="utf-8") == pages.errors(), "run: make docs"


def test_a_failed_script_prints_its_traceback_the_line_and_the_next_command(capsys: pytest.CaptureFixture[str]):
    error = ScriptFailed(
        "init() of score.py raised ZeroDivisionError",
        traceback='Traceback (most recent call last):\n  File "score.py", line 5, in init\nZeroDivisionError',
        file="score.py",
        line=5,
        service="diabetes",
        workspace="my team",
    )
    assert errors.report(error) == 9
    shown = capsys.readouterr().err
    assert shown.startswith("error: init() of score.py raised ZeroDivisionError\n")
    assert 'File "score.py", line 5, in init' in shown
    assert shown.count("line 5") == 1
    assert "next: sendoff service get-logs -n diabetes -w 'my team'" in shown


def test_a_place_without_a_traceback_is_printed_too(capsys: pytest.CaptureFixture[str]):
    errors.report(ScriptFailed("bad syntax", file="score.py", line=7))
    assert "  at score.py, line 7\n" in capsys.readouterr().err


def test_the_hint_is_printed_and_our_own_traceback_only_with_debug(capsys: pytest.CaptureFixture[str]):
    try:
        raise InvalidInput("name 'X' is not allowed", hint="Use lower case.")
    except InvalidInput as error:
        assert errors.report(error) == 2
        assert capsys.readouterr().err == "error: name 'X' is not allowed\nhint: Use lower case.\n"
        errors.report(error, debug=True)
        assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_an_unforeseen_exception_ends_with_1_and_asks_for_debug(capsys: pytest.CaptureFixture[str]):
    assert errors.report_bug(KeyError("x"), debug=False) == 1
    assert "--debug" in capsys.readouterr().err
