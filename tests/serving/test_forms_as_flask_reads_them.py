"""Posted forms as clients write them: ``AMLRequest.form`` and ``files`` are what Flask makes of the same bytes (F15).

Each row goes to our server and to the existing one, whose request is Flask's.
"""

# ruff: noqa: E501 - a row is a line

from __future__ import annotations

import json

import pytest

from .existing_server import Start, twin

__all__ = ["twin"]

SCRIPT = """
    from azureml.contrib.services.aml_request import rawhttp

    def init(): pass

    @rawhttp
    def run(request):
        form = {name: request.form.getlist(name) for name in request.form}
        files = {
            name: [[file.filename, file.read().decode("latin-1"), file.mimetype] for file in request.files.getlist(name)]
            for name in request.files
        }
        return [form, files]
"""


def part(disposition: str | bytes, content: bytes = b"x", *more: bytes) -> bytes:
    """One part of a form, as it stands between boundaries."""
    given = disposition.encode() if isinstance(disposition, str) else disposition
    return b"\r\n".join([b"Content-Disposition: form-data; " + given, *more, b"", content])


def form(*parts: bytes) -> bytes:
    return b"".join(b"--XX\r\n" + each + b"\r\n" for each in parts) + b"--XX--\r\n"


def file(name: str, mimetype: str = "", content: str = "x") -> list[list[str]]:
    return [[name, content, mimetype]]


ROWS = {
    # File names beyond ASCII and with quotes
    "browser": (part('name="f"; filename="b\u00fcro \u2603.jpg"', b"\x00\xff", b"Content-Type: image/jpeg"), {}, {"f": [["b\u00fcro \u2603.jpg", "\x00\u00ff", "image/jpeg"]]}),
    "browser, quoted": (part('name="f"; filename="a%22b.jpg"'), {}, {"f": file('a"b.jpg')}),
    "curl before 7.81, quoted": (part(r'name="f"; filename="a\"b.jpg"'), {}, {"f": file('a"b.jpg')}),
    "curl, backslash": (part(r'name="f"; filename="a\\b.jpg"'), {}, {"f": file(r"a\b.jpg")}),
    "requests with urllib3 1": (part("name=\"f\"; filename*=utf-8''b%C3%BCro.jpg"), {}, {"f": file("b\u00fcro.jpg")}),
    "Postman, quoted": (part("name=\"f\"; filename*=\"UTF-8''b%C3%BCro.jpg\""), {}, {"f": file("\"UTF-8''b%C3%BCro.jpg\"")}),
    "in Latin-1": (part("name=\"f\"; filename*=ISO-8859-1'de'b%FCro.jpg"), {}, {"f": file("b\u00fcro.jpg")}),
    "of an unknown charset": (part("name=\"f\"; filename*=koi8-r''%C2.jpg"), {}, {"f": file("%C2.jpg")}),
    ".NET": (part("name=f; filename=buero.jpg; filename*=utf-8''b%C3%BCro.jpg"), {}, {"f": file("b\u00fcro.jpg")}),
    ".NET, encoded word": (part('name=f; filename="=?utf-8?B?YsO8cm8uanBn?="'), {}, {"f": file("=?utf-8?B?YsO8cm8uanBn?=")}),
    "Java, strict": (part('name="f"; filename="b?ro.jpg"', b"x", b"Content-Type: application/octet-stream", b"Content-Transfer-Encoding: binary"), {}, {"f": file("b?ro.jpg", "application/octet-stream")}),
    "continued": (part("name=\"f\"; filename*0=\"long-\"; filename*1=\"name.jpg\""), {}, {"f": file("long-name.jpg")}),
    "continued, encoded": (part("name=\"f\"; filename*0*=utf-8''b%C3%BC; filename*1*=ro.jpg"), {}, {"f": file("b\u00fcro.jpg")}),
    "semicolon within": (part('name="f"; filename="a;b=c.jpg"'), {}, {"f": file("a;b=c.jpg")}),
    "percent": (part('name="f"; filename="100%25.jpg"'), {}, {"f": file("100%25.jpg")}),
    "token with a blank": (part("name=f; filename=a b.jpg"), {}, {"f": file("a")}),
    "no file chosen": (part('name="f"; filename=""', b"", b"Content-Type: application/octet-stream"), {}, {"f": [["", "", "application/octet-stream"]]}),
    "upper case, folded": (b'CONTENT-DISPOSITION: form-data;\r\n name="f";\r\n\tFILENAME="a.jpg"\r\n\r\nx', {}, {"f": file("a.jpg")}),
    # Fields
    "field beyond ASCII": (part('name="n\u00e4me"', "gr\u00fc\u00df".encode()), {"n\u00e4me": ["gr\u00fc\u00df"]}, {}),
    "field in Latin-1": (part('name="a"', b"\xfc", b"Content-Type: text/plain; charset=ISO-8859-1"), {"a": ["\u00fc"]}, {}),
    "field in bytes that are no UTF-8": (part('name="a"', b"\xfc"), {"a": ["\ufffd"]}, {}),
    "field with quotes in its name": (part('name="a%22b"'), {'a"b': ["x"]}, {}),
    "empty field": (part('name="a"', b""), {"a": [""]}, {}),
    "lines within": (part('name="a"', b"1\r\n2\n--X\r\n"), {"a": ["1\r\n2\n--X\r\n"]}, {}),
    "boundary within a line": (part('name="a"', b"a--XXb --XX"), {"a": ["a--XXb --XX"]}, {}),
}  # fmt: skip
WHOLE = {
    "several": (
        form(part('name="a"', b"1"), part('name="f"; filename="1.txt"'), part('name="a"', b"2"), part('name="f"; filename="2.txt"', b"y")),
        {"a": ["1", "2"]}, {"f": [["1.txt", "x", ""], ["2.txt", "y", ""]]},
    ),
    "preamble and epilogue": (b"This is a form.\r\n" + form(part('name="a"')) + b"and its end", {"a": ["x"]}, {}),
    "line feeds alone": (form(part('name="a"', b"1")).replace(b"\r\n", b"\n"), {"a": ["1"]}, {}),
    "blanks behind the boundary": (form(part('name="a"')).replace(b"--XX\r\n", b"--XX \t\r\n", 1), {"a": ["x"]}, {}),
    "no line end at the end": (form(part('name="a"'))[:-2], {"a": ["x"]}, {}),
    "nothing in it": (b"--XX--\r\n", {}, {}),
    "part without content": (b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n--XX--\r\n', {"a": [""]}, {}),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_one_part(twin: Start, row: str) -> None:
    body, fields, files = ROWS[row]
    headers = {"Content-Type": "multipart/form-data; boundary=XX"}
    assert twin(SCRIPT).request("POST", "/score", form(body), headers).json == [fields, files]


def test_a_path_keeps_its_backslashes(shared) -> None:
    # As the Flask of 2020 had it; the present one drops them.
    body = form(part(r'name="f"; filename="C:\pictures\cat.jpg"'))
    headers = {"Content-Type": "multipart/form-data; boundary=XX"}
    found = shared(SCRIPT).request("POST", "/score", body, headers).json
    assert found == [{}, {"f": file(r"C:\pictures\cat.jpg")}]


@pytest.mark.parametrize("boundary", ["boundary=XX", 'boundary="XX"', 'charset=utf-8; BOUNDARY="XX"'])
@pytest.mark.parametrize("row", WHOLE)
def test_a_whole_form(twin: Start, row: str, boundary: str) -> None:
    body, fields, files = WHOLE[row]
    headers = {"Content-Type": f"multipart/form-data; {boundary}"}
    assert twin(SCRIPT).request("POST", "/score", body, headers).json == [fields, files]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("a=1&a=2&b=", {"a": ["1", "2"], "b": [""]}),
        ("a=x+y%20z", {"a": ["x y z"]}),
        ("n%C3%A4me=gr%C3%BC%C3%9F", {"n\u00e4me": ["gr\u00fc\u00df"]}),
        ("a=gr\u00fc\u00df", {"a": ["gr\u00fc\u00df"]}),
        ("a=1;b=2", {"a": ["1;b=2"]}),
        ("a", {"a": [""]}),
        ("a=%FC", {"a": ["%FC"]}),
        ("a=%zz", {"a": ["%zz"]}),
    ],
)
def test_an_encoded_form(twin: Start, body: str, fields: dict[str, list[str]]) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert json.loads(twin(SCRIPT).request("POST", "/score", body.encode(), headers).body) == [fields, {}]
