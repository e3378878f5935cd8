"""What a script imports of others is read from its text, through the modules beside it."""

import pytest

from sendoff.code.script_imports import script_imports


def found(entry, **files):
    named = {path.replace("__slash__", "/") + ".py": text.encode() for path, text in files.items()}
    imports = script_imports(entry, {path: lambda text=text: text for path, text in named.items()})
    return [(one.wanted.module, one.wanted.names, one.certain) for one in imports.found], imports.searches


def test_modules_and_names_in_order():
    text = "import numpy as np, os.path\nfrom sklearn.linear_model import Ridge, Lasso\nfrom pandas import *\n"
    assert found("score.py", score=text) == (
        [
            ("numpy", [], True),
            ("os.path", [], True),
            ("sklearn.linear_model", ["Ridge", "Lasso"], True),
            ("pandas", [], True),
        ],
        False,
    )


def test_modules_beside_the_script_are_followed_and_not_asked_for():
    files = {
        "code__slash__score": "from helper import clean\nfrom .near import x\nimport package.deep\n",
        "code__slash__helper": "import pandas\n",
        "code__slash__near": "from . import helper\nimport joblib\n",
        "package__slash____init__": "import yaml\n",
        "package__slash__deep": "from .other import y\n",
        "package__slash__other": "import requests\n",
    }
    names, _ = found("code/score.py", **files)
    assert [name for name, _, _ in names] == ["pandas", "joblib", "yaml", "requests"]


def test_what_is_not_surely_imported_is_not_certain_and_what_is_tried_is_left_out():
    text = """\
import sys
sys.path.append("x")
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import mypy
if sys.platform == "win32":
    import winreg
try:
    import ujson
except ImportError:
    pass
with open("x"):
    import yaml
def init():
    import joblib
def helper():
    import torch
"""
    names, searches = found("score.py", score=text)
    assert searches
    assert [(name, certain) for name, _, certain in names] == [
        ("sys", True), ("typing", True), ("winreg", False), ("yaml", True), ("joblib", False),
    ]  # fmt: skip


def test_names_that_the_worker_gives_are_not_asked_for():
    text = "from azureml.core.model import Model\nfrom sklearn.externals import joblib\nimport sklearn.externals.six\n"
    assert found("score.py", score=text) == ([], False)


@pytest.mark.parametrize("text", ["import a\nimport b from c\n", "\0", "(" * 5000])
def test_a_script_that_does_not_parse_imports_nothing(text):
    assert found("score.py", score=text) == ([], False)
