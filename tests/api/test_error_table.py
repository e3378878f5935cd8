import errno
import json
import pathlib

from sendoff import errors
from sendoff.api.application import Application
from sendoff.api.errors import STATUS
from sendoff.api.route import Route
from sendoff.core import Core
from sendoff.spec.messages import Request

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "http-api.md"


def codes():
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.SendoffError)]
    return {one.code for one in classes}


def test_every_error_has_a_status():
    assert codes() == set(STATUS)
    assert all(400 <= status < 600 for status in STATUS.values())


def test_every_error_is_documented_with_its_status():
    page = PAGE.read_text()
    missing = [code for code, status in STATUS.items() if f"| `{code}` | {status} |" not in page]
    assert missing == []


def test_every_route_is_documented():
    from sendoff.api.routes import ROUTES

    page = PAGE.read_text()
    assert [f"{one.method} {one.path}" for one in ROUTES if f"| `{one.method} /v1{one.path}` |" not in page] == []


def test_an_unexpected_exception_is_logged_and_becomes_internal_error(tmp_path, caplog):
    def broken(core, call):
        raise ZeroDivisionError("secret detail")

    route = Route(method="GET", path="/broken", handler=broken, summary="", answers={200: None})
    response = Application(Core(tmp_path), [route]).handle(Request(method="GET", path="/v1/broken"))
    assert response.status == 500
    assert b'"internal_error"' in response.body
    assert "ZeroDivisionError" in caplog.text


def test_a_machine_that_lacks_something_is_no_defect_of_ours(tmp_path):
    def full(core, call):
        with pathlib.Path("/dev/full").open("wb", buffering=0) as disk:
            disk.write(b"x")

    route = Route(method="GET", path="/full", handler=full, summary="", answers={200: None})
    response = Application(Core(tmp_path), [route]).handle(Request(method="GET", path="/v1/full"))
    said = json.loads(response.body)["error"]
    assert (response.status, said["code"], said["message"]) == (
        STATUS["store_error"],
        "store_error",
        "the disk is full",
    )
    assert said["context"]["reported_code"] == "disk_full"
    named = errors.lacking(OSError(errno.EROFS, "Read-only file system", "/home/of/ours"))
    assert named is not None and named.message == "/home/of/ours: the file system is read-only"
    assert errors.lacking(MemoryError()).payload()["context"]["reported_code"] == "memory"
    for other in (RuntimeError("can't start new thread"), ImportError("libsqlite3.so.0: failed to map segment from …")):
        assert errors.lacking(other).payload()["context"]["reported_code"] == "memory"
    assert errors.lacking(OSError(errno.ENOENT, "No such file")) is None and errors.lacking(ValueError()) is None


def test_sdk_exceptions_do_not_replace_what_the_client_raises():
    from sendoff.errors import from_payload
    from sendoff.sdk.exceptions import WebserviceException, raised_as

    raised_as(WebserviceException, errors.ServiceNotFound("x"))
    assert type(from_payload({"code": "service_not_found", "message": "x"})) is errors.ServiceNotFound
    assert type(from_payload({"code": "new_in_a_later_version", "message": "x"})) is errors.SendoffError
