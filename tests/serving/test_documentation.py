"""Every option, code, route and setting is in docs/scoring-server.md (pain 53)."""

from __future__ import annotations

import re
from pathlib import Path

from sendoff_serving import errors, protocol
from sendoff_serving.front.scoring import application as scoring
from sendoff_serving.front.scoring import auth, inference_protocol
from sendoff_serving.options import VARIABLES, parser

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "scoring-server.md").read_text("utf-8")
PROTOCOL = (DOCS / "protocol.md").read_text("utf-8")


def test_options_and_variables() -> None:
    options = [name for action in parser()._actions for name in action.option_strings if name.startswith("--")]
    assert [name for name in options if name != "--help" and name not in PAGE] == []
    assert [name for name in VARIABLES if name not in PAGE] == []


def test_codes_and_their_statuses() -> None:
    assert [code for code in errors.STATUS if f"`{code}`" not in PAGE] == []
    package = Path(errors.__file__).parent
    source = "\n".join(path.read_text("utf-8") for path in package.rglob("*.py"))
    raised = set(re.findall(r'(?:ServingError|Refusal)\(\s*(?:\d{3},\s*)?"([a-z_0-9]+)"', source))
    assert sorted(code for code in raised if f"`{code}`" not in PAGE) == []


def test_routes_and_groups() -> None:
    routes = scoring._ROUTES | inference_protocol.ROUTES
    assert [route for route in routes if f"`{route}`" not in PAGE] == []
    assert set(auth.GROUPS) == routes


def test_kinds_of_frames() -> None:
    numbers = {name: value for name, value in vars(protocol.Kind).items() if not name.startswith("_")}
    missing = [name for name, value in numbers.items() if f"| {name} | {value} |" not in PROTOCOL and name != "FORKED"]
    assert missing == []
