"""The gateway on a real Envoy: routes change under its clients, ports are kept, what it answers itself has our form."""

from __future__ import annotations

import http.client
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from identity.pem import write_pair

from sendoff.gateway.base import Route
from sendoff.gateway.gateway import Gateway
from sendoff.targets import ports


class Server(http.server.ThreadingHTTPServer):
    """Answers with its own name and the request's headers."""

    def __init__(self, name: str) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = json.dumps({"name": name, "headers": dict(self.headers)}).encode()
                self.send_response(200)
                self.send_header("X-Ms-Run-Function-Failed", "False")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.server_port}"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(tmp_path)
    yield made
    for route in made.routes():
        made.drop(route.name)
    made.sync()
    assert made.running() is None


def routed(gateway: Gateway, *endpoints: str, name: str = "u1", port: int = 0) -> Route:
    """A route that Envoy has taken."""
    known = gateway.route(name)
    route = Route(name, "127.0.0.1", port or (known.port if known else ports.choose("127.0.0.1", ())), endpoints)
    gateway.set(route)
    gateway.sync()
    assert gateway.wait(route), gateway.problem(name)
    return route


def post(link: http.client.HTTPConnection) -> tuple[int, dict[str, object], http.client.HTTPResponse]:
    link.request("POST", "/score", b"1", {"X-Own-Header": "1"})
    answer = link.getresponse()
    return answer.status, json.loads(answer.read()), answer


def test_a_kept_alive_client_is_led_to_the_new_server_and_headers_stay_as_they_are(gateway: Gateway) -> None:
    route = routed(gateway, Server("old").endpoint)
    link = http.client.HTTPConnection("127.0.0.1", route.port, timeout=10)
    _, body, answer = post(link)
    assert body["name"] == "old"
    headers = body["headers"]
    assert isinstance(headers, dict) and headers["X-Own-Header"] == "1"
    assert not any(name.lower().startswith(("x-envoy", "x-request-id")) for name in headers)
    assert ("X-Ms-Run-Function-Failed", "False") in answer.getheaders()
    own = link.sock
    routed(gateway, Server("new").endpoint)
    assert post(link)[1]["name"] == "new"
    assert link.sock is own, "the client's connection was closed"


def test_without_a_server_it_answers_in_the_form_of_the_services_errors(gateway: Gateway) -> None:
    route = routed(gateway)
    status, body, _ = post(http.client.HTTPConnection("127.0.0.1", route.port, timeout=10))
    assert (status, body["status_code"], body["code"]) == (503, 503, "not_ready")


def test_a_taken_port_is_said_and_harms_no_other_service(gateway: Gateway) -> None:
    route = routed(gateway, Server("one").endpoint)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = Route("u2", "127.0.0.1", stranger.getsockname()[1])
        gateway.set(taken)
        gateway.sync()
        assert not gateway.wait(taken, 1.0)
        assert "in use" in gateway.problem("u2").lower()
        assert post(http.client.HTTPConnection("127.0.0.1", route.port, timeout=10))[0] == 200
    gateway.again()
    assert gateway.wait(taken, 5.0), "the port is free again"


def test_tls_is_turned_on_renewed_and_turned_off_at_the_same_port(gateway: Gateway, tmp_path: Path) -> None:
    route = routed(gateway, Server("one").endpoint)
    seen = set()
    for name in ("first", "second"):
        certificate, _ = write_pair(tmp_path, name)
        gateway.set(route._replace(certificate=str(certificate)))
        gateway.sync()
        assert gateway.wait(route._replace(certificate=str(certificate))), gateway.problem("u1")
        context = ssl.create_default_context(cafile=str(certificate))
        with socket.create_connection(("127.0.0.1", route.port), 10) as plain:
            with context.wrap_socket(plain, server_hostname="svc.test") as link:
                seen.add(link.getpeercert(binary_form=True))
                assert link.version() == "TLSv1.3"
    assert len(seen) == 2
    assert not gateway.serves(route)
    assert post(http.client.HTTPConnection("127.0.0.1", routed(gateway, *route.endpoints).port, timeout=10))[0] == 200
    assert list((gateway.folder / "secrets").iterdir()) == []


def test_the_last_route_takes_envoy_along(gateway: Gateway) -> None:
    route = routed(gateway, Server("one").endpoint)
    gateway.drop("u1")
    gateway.sync()
    assert gateway.running() is None
    assert [path.name for path in gateway.folder.iterdir()] == ["lock"]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", route.port)) != 0
