"""Cross-origin requests: preflight before anything else, headers on answers and errors (pain 32)."""

from __future__ import annotations

import pytest

SCRIPT = "def init(): pass\ndef run(data): return 1\n"
ASK = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}


def test_a_preflight_of_an_allowed_origin(serve) -> None:
    server = serve(SCRIPT, "--cors-origins", "https://a.example, https://b.example")
    answer = server.request("OPTIONS", "/score", headers={"Origin": "https://b.example", **ASK})
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://b.example"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert answer.headers["Vary"] == "Origin"
    other = server.request("OPTIONS", "/score", headers={"Origin": "https://c.example", **ASK})
    assert other.headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize(
    "path",
    [
        *("/score", "/", "/swagger.json", "/nowhere", "/metrics", "/docs"),
        *("/health/live", "/health/ready", "/health/startup", "/v2", "/v2/health/ready"),
    ],
)
def test_answers_and_errors_carry_the_headers(shared, path: str) -> None:
    server = shared(SCRIPT, env={"AML_CORS_ORIGINS": "https://a.example"})
    answer = server.request("GET", path, headers={"Origin": "https://a.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert server.get(path).headers["Access-Control-Allow-Origin"] is None
    assert server.get(path).headers["Vary"] == answer.headers["Vary"] == "Origin"  # for caches


def test_any_origin(serve) -> None:
    server = serve(SCRIPT, "--cors-origins", "*")
    for headers in ({"Origin": "https://x.example"}, {}):  # a cache may answer a page with what it got without one
        answer = server.score("", **headers)
        assert (answer.headers["Access-Control-Allow-Origin"], answer.headers["Vary"]) == ("*", None)


def test_without_the_setting_cors_is_the_scripts_own(serve) -> None:
    server = serve(SCRIPT)
    answer = server.request("OPTIONS", "/score", headers={"Origin": "https://x.example", **ASK})
    assert answer.status == 200 and answer.headers["Access-Control-Allow-Origin"] is None


def test_a_scripts_own_header_stands_alone(serve) -> None:
    server = serve(
        "from azureml.contrib.services.aml_request import rawhttp\n"
        "from azureml.contrib.services.aml_response import AMLResponse\n"
        "def init(): pass\n@rawhttp\n"
        "def run(r): return AMLResponse('x', 200, {'Access-Control-Allow-Origin': 'mine'})\n",
        *("--cors-origins", "*"),
    )
    answer = server.request("POST", "/score", b"", {"Origin": "https://x.example"})
    assert answer.headers.get_all("Access-Control-Allow-Origin") == ["mine"]
