"""Bodies that are not plain UTF-8: with its mark, or in the character set that the Content-Type declares (F14)."""

from __future__ import annotations

import codecs
import json

import pytest

from .interpreters import environment

ECHO = """
    def init(): pass
    def run(data): return data
"""
SCHEMA = """
    from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
    from inference_schema.schema_decorators import input_schema

    def init(): pass

    @input_schema("data", StandardPythonParameterType("text"))
    def run(data): return data
"""
RAW = """
    from azureml.contrib.services.aml_request import rawhttp
    def init(): pass
    @rawhttp
    def run(request): return request.get_data().hex()
"""
TEXT = '{"a": "größe é"}'


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("", TEXT.encode()),
        ("", codecs.BOM_UTF8 + TEXT.encode()),
        ("; charset=utf-8", codecs.BOM_UTF8 + TEXT.encode()),
        ("; charset=UTF8", TEXT.encode()),
        ("; charset=ISO-8859-1", TEXT.encode("latin-1")),
        (';charset="iso-8859-1"; x=y', TEXT.encode("latin-1")),
        ("; Charset = windows-1252", TEXT.encode("cp1252")),
        ("; charset=utf-16", TEXT.encode("utf-16")),
    ],
)
def test_a_script_gets_the_text_that_was_sent(shared, kind: str, charset: str, body: bytes) -> None:
    answer = shared(ECHO).request("POST", "/score", body, {"Content-Type": kind + charset})
    assert (answer.status, answer.json) == (200, TEXT)


@pytest.mark.parametrize("charset", ["klingon", "base64", "rot13", "a\x00b"])
def test_a_character_set_that_is_none_is_415_and_named(shared, charset: str) -> None:
    answer = shared(ECHO).request("POST", "/score", b"a", {"Content-Type": f'text/plain; charset="{charset}"'})
    if "\x00" in charset:
        assert answer.status == 400
    else:
        assert (answer.status, answer.json["code"]) == (415, "charset_unknown")
        assert charset in answer.json["message"]


def test_a_body_that_is_not_what_it_says_is_400(shared) -> None:
    answer = shared(ECHO).request("POST", "/score", b"abc", {"Content-Type": "text/plain; charset=utf-16-le"})
    assert (answer.status, answer.json["code"]) == (400, "body_not_utf8")
    assert "utf-16-le" in answer.json["message"]


def test_schemas_and_batches_take_them_too(serve) -> None:
    python = environment("3.13", "inference-schema[numpy-support]")
    server = serve(SCHEMA, "--python", python)
    for charset, encoding in (("", "utf-8-sig"), ("; charset=iso-8859-1", "latin-1"), ("; charset=utf-16", "utf-16")):
        body = json.dumps({"data": "größe"}, ensure_ascii=False).encode(encoding)
        answer = server.request("POST", "/score", body, {"Content-Type": "application/json" + charset})
        assert (answer.status, answer.json) == (200, "größe"), charset


def test_batches_take_them_too(serve) -> None:
    server = serve(
        """
        import json
        def init(): pass
        def run(data): return [name.upper() for name in json.loads(data)["data"]]
        """,
        "--max-batch-rows",
        "4",
    )
    body = json.dumps({"data": ["größe"]}, ensure_ascii=False)
    for charset, encoding in (("", "utf-8-sig"), ("; charset=iso-8859-1", "latin-1")):
        answer = server.request("POST", "/score", body.encode(encoding), {"Content-Type": "text/plain" + charset})
        assert (answer.status, answer.json) == (200, ["GRÖSSE"]), charset


def test_a_raw_script_gets_the_bytes(shared) -> None:
    body = codecs.BOM_UTF8 + "é".encode("latin-1")
    answer = shared(RAW).request("POST", "/score", body, {"Content-Type": "text/plain; charset=klingon"})
    assert (answer.status, answer.json) == (200, body.hex())
