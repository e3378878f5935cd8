"""Scripts with @rawhttp: the request object, the response object, streams (spec/scoring-server.md sec. 5, 6)."""

from __future__ import annotations

import json
import socket
import time

import pytest

from .running import read_all

HEAD = """
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse
def init(): pass
@rawhttp
def run(request):
"""


def script(body: str) -> str:
    return HEAD + "\n".join(f"    {line}" for line in body.splitlines()) + "\n"


@pytest.fixture
def raw(serve):
    return lambda body, *arguments: serve(script(body), *arguments)


ARTICLE = """
print("This is run()")
print("Request: [{0}]".format(request))
if request.method == 'GET':
    respBody = str.encode(request.full_path)
    return AMLResponse(respBody, 200)
elif request.method == 'POST':
    reqBody = request.get_data(False)
    resp = AMLResponse(reqBody, 200)
    resp.headers['Access-Control-Allow-Origin'] = "http://www.example.com"
    return resp
else:
    return AMLResponse("bad request", 500)
"""


def test_the_articles_binary_and_cors_script(raw) -> None:
    server = raw(ARTICLE)
    data = bytes(range(256)) * 10
    answer = server.request("POST", "/score", data, {"Content-Type": "application/octet-stream"})
    assert (answer.status, answer.body) == (200, data)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://www.example.com"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert server.get("/score?a=b%20c&d").body == b"/score?a=b%20c&d"
    assert server.get("/score").body == b"/score?"
    answer = server.request("OPTIONS", "/score")
    assert (answer.status, answer.body) == (500, b"bad request")
    assert answer.headers["x-ms-run-function-failed"] == "True"
    server.stop()
    assert "Request: [<Request 'http://127.0.0.1:" in server.log and "/score' [POST]>]" in server.log


def test_the_articles_cors_script_as_printed_gets_the_line_to_add(serve) -> None:
    body = "\n".join(f"    {line}" for line in ARTICLE.strip().splitlines())
    server = serve(
        "from azureml.contrib.services.aml_response import AMLResponse\n"
        f"def init():\n    print('This is init()')\ndef run(request):\n{body}\n"
    )
    answer = server.request("POST", "/score", b"x")
    assert answer.status == 500
    assert "@rawhttp" in answer.json["hint"]
    server.stop()
    assert "add the line @rawhttp above def run" in server.log


def test_the_request_has_what_flasks_had(raw) -> None:
    server = raw("""
return {
    "args": request.args.get("n", type=int), "all": request.args.getlist("m"), "path": request.path,
    "header": request.headers["x-thing"], "headers": request.headers.get("X-THING"), "no": request.headers.get("n"),
    "json": request.json, "get_json": request.get_json(force=True), "text": request.get_data(as_text=True),
    "data": request.data.decode(), "type": request.content_type, "mimetype": request.mimetype,
    "length": request.content_length, "url": request.url, "base": request.base_url, "host": request.host,
    "remote": request.remote_addr, "query": request.query_string.decode(), "cookies": request.cookies,
    "in": "X-Thing" in request.headers, "read": request.stream.read().decode(), "is_json": request.is_json,
}
""")
    found = server.request(
        "POST",
        "/score?n=5&m=1&m=2",
        '{"a": "ü"}'.encode(),
        {"Content-Type": "application/json; charset=utf-8", "X-Thing": "t", "Cookie": "a=b", "Host": "h:1"},
    ).json
    assert found == {
        "args": 5,
        "all": ["1", "2"],
        "path": "/score",
        "header": "t",
        "headers": "t",
        "no": None,
        "json": {"a": "ü"},
        "get_json": {"a": "ü"},
        "text": '{"a": "ü"}',
        "data": '{"a": "ü"}',
        "type": "application/json; charset=utf-8",
        "mimetype": "application/json",
        "length": 11,
        "url": "http://h:1/score?n=5&m=1&m=2",
        "base": "http://h:1/score",
        "host": "h:1",
        "remote": "127.0.0.1",
        "query": "n=5&m=1&m=2",
        "cookies": {"a": "b"},
        "in": True,
        "read": '{"a": "ü"}',
        "is_json": True,
    }


def test_forms_and_files(raw) -> None:
    server = raw("""
if request.files:
    file = request.files["image"]
    return [file.filename, file.read().hex(), file.mimetype, request.form["caption"], sorted(request.files)]
return [request.form.getlist("a"), request.form.get("b"), request.data.decode(), request.values["q"]]
""")
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
    assert server.request("POST", "/score?q=1", b"a=1&a=%C3%BC&b=", urlencoded).json == [["1", "ü"], "", "", "1"]
    body = (
        b'--XX\r\nContent-Disposition: form-data; name="caption"\r\n\r\nhello\r\n--XX\r\n'
        b'Content-Disposition: form-data; name="image"; filename="a b.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        b"\x00\x01\r\n\xff\r\n--XX--\r\n"
    )
    answer = server.request("POST", "/score", body, {"Content-Type": "multipart/form-data; boundary=XX"})
    assert answer.json == ["a b.jpg", "00010d0aff", "image/jpeg", "hello", ["image"]]
    answer = server.request("POST", "/score", b"rubbish", {"Content-Type": "multipart/form-data; boundary=XX"})
    assert answer.status == 400 and answer.json["code"] == "bad_request"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-be"])
def test_json_of_a_raw_request_is_read_in_any_encoding_that_json_has(shared, encoding: str) -> None:
    server = shared(script("return [request.json, request.get_data(as_text=True)[:1]]"))
    body = json.dumps({"ü": 1}, ensure_ascii=False).encode(encoding)
    answer = server.request("POST", "/score", body, {"Content-Type": "application/json"})
    assert answer.status == 200 and answer.json[0] == {"ü": 1}


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ('request.files["image"]', "file 'image'"),
        ('request.form["image"]', "form field 'image'"),
        ('request.args["image"]', "query parameter 'image'"),
        ('request.cookies["image"]', "cookie 'image'"),
        ('request.values["image"]', "query parameter or form field 'image'"),
    ],
)
def test_what_a_request_lacks_is_the_callers_mistake(raw, asked, missing) -> None:
    server = raw(f"""
if request.data == b"pass":
    return {asked}
try:
    {asked}
except KeyError as error:
    return [type(error).__name__, str(error), error.code]
""")
    text = "400 Bad Request: The browser (or proxy) sent a request that this server could not understand."
    assert server.request("POST", "/score", b"x").json == ["BadRequestKeyError", text, 400]
    passed = server.request("POST", "/score", b"pass")
    assert (passed.status, passed.json["code"]) == (400, "bad_request")
    assert passed.json["message"] == f"The request has no {missing}"


def test_what_scripts_print_of_a_request_is_flasks_text(raw) -> None:
    server = raw("""
form, files = request.form, request.files
environ = request.environ
return [
    str(request.args), list(request.args.items(multi=True)), request.args.copy().getlist("a"), str(form), str(files),
    "Host: h:1" in str(request.headers).splitlines(), request.url, environ["RAW_URI"], environ["SERVER_NAME"],
    environ["CONTENT_LENGTH"], "HTTP_CONTENT_TYPE" in environ, dict(files)["f"].content_type,
]
""")
    body = b'--X\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhi\r\n--X--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=X", "Host": "h:1"}
    assert server.request("POST", "/score?a=1&a=%C3%BC&b=%20%FF", body, headers).json == [
        "ImmutableMultiDict([('a', '1'), ('a', 'ü'), ('b', ' %FF')])",
        [["a", "1"], ["a", "ü"], ["b", " %FF"]],
        ["1", "ü"],
        "ImmutableMultiDict([])",
        "ImmutableMultiDict([('f', <FileStorage: 'a.txt' (None)>)])",
        True,
        "http://h:1/score?a=1&a=ü&b=%20%FF",
        "/score?a=1&a=%C3%BC&b=%20%FF",
        "h",
        str(len(body)),
        False,
        None,
    ]


def test_json_that_is_none_is_the_callers_mistake(raw) -> None:
    answer = raw("return request.get_json(force=True)").request("POST", "/score", b"{")
    assert answer.status == 400


@pytest.mark.parametrize(
    ("expression", "status", "content_type", "body"),
    [
        ("AMLResponse('a', 418)", 418, "text/html; charset=utf-8", b"a"),
        ("AMLResponse('a', '201 CREATED')", 201, "text/html; charset=utf-8", b"a"),
        ("AMLResponse('a', None)", 200, "text/html; charset=utf-8", b"a"),
        ("AMLResponse(('a', b'b'), 200)", 200, "text/html; charset=utf-8", b"ab"),
        ("AMLResponse((1, 2), 200)", 200, "application/json", b"[1, 2]"),
        (
            "[str(AMLResponse('a', 404)), AMLResponse('a', 200).get_json()]",
            200,
            "application/json",
            b'["<AMLResponse 1 bytes [404 NOT FOUND]>", null]',
        ),
        ("AMLResponse(None, 200)", 200, "application/json", b"{}"),
        ("AMLResponse({'a': 1}, 200, json_str=True)", 200, "application/json", b'{"a": 1}'),
        ("AMLResponse('a', 200, {'content-type': 'text/csv'})", 200, "text/csv", b"a"),
        ("AMLResponse('', 204)", 204, None, b""),
        ("{'plain': 1}", 200, "application/json", b'{"plain": 1}'),
        ("None", 200, "application/json", b"{}"),
    ],
)
def test_responses(shared, expression, status, content_type, body) -> None:
    server = shared(script("return eval(request.get_data(as_text=True))"))
    answer = server.request("POST", "/score", expression)
    assert (answer.status, answer.body) == (status, body)
    if content_type:
        assert answer.headers.get_all("Content-Type") == [content_type]


def test_headers_of_responses(raw) -> None:
    server = raw("""
response = AMLResponse("x", 200, {"X-List": "a, b"}, run_function_failed=True)
response.headers.add("Set-Cookie", "a=1")
response.headers.add("Set-Cookie", "b=2")
response.headers["Content-Length"] = "999"
response.headers["Transfer-Encoding"] = "chunked"
response.headers["x-request-id"] = "mine"
response.headers["X-Bad"] = "a\\r\\nX-Injected: 1"
response.headers["Bad Name"] = "x"
return response
""")
    answer = server.request("POST", "/score", b"", {"x-request-id": "theirs"})
    assert (answer.status, answer.body) == (200, b"x")
    assert answer.headers.get_all("X-List") == ["a", "b"]
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert answer.headers.get_all("Content-Length") == ["1"]
    assert answer.headers.get_all("x-request-id") == ["theirs"]
    assert answer.headers["X-Injected"] is None and answer.headers["Bad Name"] is None
    assert answer.headers["x-ms-run-function-failed"] == "True"
    server.stop()
    said = [line for line in server.lines if "'X-Bad', 'Bad Name' is not sent" in line]
    assert len(said) == 1 and " W [" in said[0] and " theirs " in said[0]


STREAM = """
import time
def pieces():
    for number in range(int(request.args.get("n", 3))):
        yield "piece %d;" % number
        time.sleep(float(request.args.get("s", 0)))
        if request.args.get("fail"):
            raise ValueError("in the middle")
return AMLResponse(pieces(), 200, {"Content-Type": "text/plain"})
"""


def test_generators_are_streamed(raw) -> None:
    server = raw(STREAM)
    assert server.request("POST", "/score", b"").body == b"piece 0;piece 1;piece 2;"
    with server.connect() as link:
        link.sendall(b"POST /score?s=0.5 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        start = time.monotonic()
        first = b""
        while b"piece 0" not in first:
            first += link.recv(65536)
        assert time.monotonic() - start < 0.45
        assert b"Transfer-Encoding: chunked" in first
        assert read_all(link).endswith(b"\r\n0\r\n\r\n")
    answer = server.raw(b"POST /score HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\npiece 0;piece 1;piece 2;") and b"chunked" not in answer


def test_a_stream_that_fails_is_cut_off_and_the_service_goes_on(raw) -> None:
    server = raw(STREAM)
    with server.connect() as link:
        link.sendall(b"POST /score?fail=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        assert not read_all(link).endswith(b"0\r\n\r\n")
    assert server.request("POST", "/score", b"").status == 200
    server.stop()
    assert "ValueError: in the middle" in server.log


def test_a_client_that_leaves_a_stream_does_not_hold_the_worker(raw) -> None:
    server = raw(STREAM, "--stream-bytes", 100_000)
    with server.connect() as link:
        link.sendall(b"POST /score?n=1000000 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert server.request("POST", "/score?n=1", b"", timeout=30).status == 200


def test_raw_and_schema_together_fail_at_the_start(start, tmp_path) -> None:
    import sys

    from .interpreters import environment
    from .running import write_script

    python = environment(f"{sys.version_info[0]}.{sys.version_info[1]}", "inference-schema[numpy-support]")
    script = write_script(tmp_path, """
        from azureml.contrib.services.aml_request import rawhttp
        from inference_schema.schema_decorators import input_schema
        from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType

        def init(): pass

        @rawhttp
        @input_schema("x", StandardPythonParameterType(1))
        def run(x): return x
    """)  # fmt: skip
    server = start("--entry-script", script, "--python", python, wait=False)
    assert server.wait_end() == 3
    assert "both @rawhttp and @input_schema" in server.log


def test_header_names_are_in_title_case_whatever_the_client_or_a_proxy_made_of_them(raw) -> None:
    server = raw("""
return {
    "dict": dict(request.headers)["Content-Type"],
    "pairs": sorted(name for name, value in request.headers if value),
    "keys": sorted(request.headers.keys()) == sorted(dict(request.headers)),
    "values": "text/x" in request.headers.values(),
    "items": sorted(request.headers.items()) == sorted(request.headers),
    "in": "content-TYPE" in request.headers,
    "get": [request.headers.get("x-a"), request.headers.get("X-A", type=int)],
}
""")
    link = server.connect()
    link.sendall(b"POST /score HTTP/1.1\r\nhost: a\r\ncontent-type: text/x\r\nx-a: 5\r\ncontent-length: 0\r\n")
    link.sendall(b"connection: close\r\n\r\n")
    found = json.loads(read_all(link).partition(b"\r\n\r\n")[2])
    assert found == {
        "dict": "text/x",
        "pairs": ["Connection", "Content-Length", "Content-Type", "Host", "X-A"],
        "keys": True,
        "values": True,
        "items": True,
        "in": True,
        "get": ["5", 5],
    }


def test_what_flasks_request_offers_beside_the_body(raw) -> None:
    server = raw("""
auth = request.authorization
accepts = request.accept_mimetypes
return {
    "auth": auth and [auth.type, auth.username, auth.password, auth.token, auth.get("username")],
    "encoding": request.content_encoding,
    "best": accepts.best_match(["text/html", "application/json"]),
    "accepts": ["image/png" in accepts, accepts.accept_json, accepts["text/html"], accepts.best, str(accepts)],
    "referrer": request.referrer,
    "route": request.access_route,
    "agent": [request.user_agent.string, str(request.user_agent), request.user_agent.browser],
    "length": request.content_length,
    "paths": [request.script_root, request.root_path, request.endpoint],
    "date": str(request.date),
}
""")
    found = server.request("GET", "/score", headers={"User-Agent": "me/1"}).json
    assert found == {
        "auth": None,
        "encoding": None,
        "best": None,
        "accepts": [False, False, 0.0, None, ""],
        "referrer": None,
        "route": ["127.0.0.1"],
        "agent": ["me/1", "me/1", None],
        "length": None,
        "paths": ["", "", "score"],
        "date": "None",
    }
    given = {
        "Authorization": "Basic bWU6c2VjcmV0OjE=",
        "Content-Encoding": "gzip",
        "Accept": "text/html;q=0.5, application/*, */*;q=0",
        "Referer": "http://r/",
        "X-Forwarded-For": "9.9.9.9, 8.8.8.8",
        "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
    }
    found = server.request("POST", "/score", b"abc", given).json
    assert found["auth"] == ["basic", "me", "secret:1", None, "me"]
    assert (found["encoding"], found["referrer"], found["length"]) == ("gzip", "http://r/", 3)
    assert found["best"] == "application/json"
    assert found["accepts"] == [False, True, 0.5, "application/*", given["Accept"]]
    assert found["route"] == ["9.9.9.9", "8.8.8.8"]
    assert found["date"].startswith("2015-10-21 07:28:00")
    assert server.request("POST", "/score", b"", {"Authorization": "Bearer t.o.k"}).json["auth"][3] == "t.o.k"
    assert server.request("POST", "/score", b"", {"Authorization": "Basic %%"}).json["auth"] is None
