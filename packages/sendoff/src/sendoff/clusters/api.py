"""The Kubernetes API over one login: requests that end in time, and refusals as the server words them.

Our own on :mod:`connections`: lightkube's import alone takes half a second of processor time, for every command
that looks at a service (docs/decisions/0028-kubernetes-target.md).
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from .. import __version__
from ..connections import Way
from ..errors import TargetUnavailable, Unauthorized
from .kubeconfig import Login

SECONDS = 15.0
"""For connecting and each read: an API server that hangs is told, never waited for without end."""
APPLY, MERGE, STRATEGIC = (
    "application/apply-patch+yaml",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)


class ApiError(TargetUnavailable):
    """The API server refused; ``status`` is HTTP's, ``why`` its machine-readable reason, ``words`` its sentence."""

    def __init__(self, status: int, body: Mapping[str, Any], what: str) -> None:
        self.status = status
        self.why = str(body.get("reason") or "")
        self.words = str(body.get("message") or f"HTTP {status}")
        self.details: Mapping[str, Any] = body.get("details") or {}
        super().__init__(f"the cluster refused {what}: {self.words}", reason=self.why, status=status)


class Api:
    """One API server, one login; safe to use from several threads, each with a connection of its own.

    Args:
        login: Where and who.
        way: Proxy and certificates of the settings, where the kubeconfig has none of its own.
    """

    def __init__(self, login: Login, way: Way | None = None) -> None:
        self.login = login
        self._way = way or Way(os.environ)
        if login.proxy:
            self._way = Way({}, proxy=login.proxy)
        parts = urlsplit(login.server)
        self._scheme, self._host, self._base = parts.scheme, parts.netloc, parts.path.rstrip("/")
        self._own = threading.local()

    @property
    def host(self) -> str:
        """The API server's name or address, without its port."""
        return urlsplit(self.login.server).hostname or ""

    def get(self, path: str, **query: str | None) -> dict[str, Any]:
        """An object or a list of objects; errors as :meth:`call`."""
        found: dict[str, Any] = self.call("GET", path, query=query)
        return found

    def find(self, path: str) -> dict[str, Any] | None:
        """An object, None where it is not there; errors as :meth:`call`."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def text(self, path: str, *, seconds: float = SECONDS, **query: str | None) -> str:
        """An answer that is no object: a log, what a pod's own server says; errors as :meth:`call`."""
        return self._asked("GET", path, query, None, "", seconds).decode("utf-8", "replace")

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str | None] | None = None,
        content: str = "application/json",
        seconds: float = SECONDS,
    ) -> Any:
        """One request, its answer parsed.

        Args:
            method: HTTP's.
            path: ``/api/v1/…``.
            body: An object.
            query: Those with None are left out.
            content: The body's type, which says how a patch is meant.
            seconds: For connecting and each read.

        Raises:
            ApiError: It was refused.
            Unauthorized: It does not know us, or a plugin does not log us in.
            TargetUnavailable: Nothing answers, not in time, or not with what the kubeconfig trusts.
        """
        data = None if body is None else json.dumps(body).encode()
        said = self._asked(method, path, query or {}, data, content, seconds)
        return json.loads(said) if said.strip() else {}

    def _asked(
        self, method: str, path: str, query: Mapping[str, str | None], body: bytes | None, content: str, seconds: float
    ) -> bytes:
        given = {name: value for name, value in query.items() if value is not None}
        target = self._base + quote(path, safe="/:") + (f"?{urlencode(given)}" if given else "")
        for attempt in (1, 2):
            status, said = self._once(method, target, body, content, seconds)
            if status == 401 and attempt == 1 and self.login.forget():
                self._drop()
                continue
            if status == 429 and attempt == 1:  # it is busy, and has not looked at the request
                continue
            break
        if status < 400:
            return said
        try:
            told = json.loads(said)
        except ValueError:
            told = {"message": said.decode("utf-8", "replace").strip()[:500]}
        if status == 401:
            raise Unauthorized(
                f"the cluster of context {self.login.context!r} does not know us: {told.get('message', '')}",
                hint="The kubeconfig's credentials have ended: get them anew (`kubectl get pods` should work).",
                reason="expired",
            )
        raise ApiError(status, told if isinstance(told, dict) else {}, f"{method} {path}")

    def _once(self, method: str, target: str, body: bytes | None, content: str, seconds: float) -> tuple[int, bytes]:
        headers = {"Accept": "application/json, */*", "User-Agent": f"sendoff/{__version__}", **self.login.headers()}
        if body is not None:
            headers["Content-Type"] = content
        for attempt in (1, 2):
            link, used = self._link(seconds)
            try:
                link.request(method, target, body=body, headers=headers)
                answer = link.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                # A kept connection that the server has closed meanwhile: it has seen nothing of the request.
                gone = isinstance(error, ConnectionError | http.client.RemoteDisconnected | ssl.SSLEOFError)
                if used and attempt == 1 and gone:
                    continue
                raise self._unreachable(error) from None
        raise AssertionError

    def _link(self, seconds: float) -> tuple[http.client.HTTPConnection, bool]:
        kept: http.client.HTTPConnection | None = getattr(self._own, "link", None)
        if kept is not None and kept.sock is not None:
            kept.sock.settimeout(seconds)
            return kept, True
        link = self._way.link(self._scheme, self._host, seconds, context=self.login.tls())
        self._own.link = link
        return link, False

    def _drop(self) -> None:
        kept: http.client.HTTPConnection | None = getattr(self._own, "link", None)
        if kept is not None:
            kept.close()
            self._own.link = None

    def _unreachable(self, error: Exception) -> TargetUnavailable:
        where = f"the cluster of context {self.login.context!r} ({self.login.server})"
        if isinstance(error, TimeoutError):
            return TargetUnavailable(f"{where} does not answer in time", hint="Is the way to it open (VPN, firewall)?",
                                     reason="timeout")  # fmt: skip
        if isinstance(error, ssl.SSLCertVerificationError):
            return TargetUnavailable(
                f"{where} shows a certificate that the kubeconfig does not trust: {error.verify_message}",
                hint="Get the kubeconfig anew: the cluster may have been made again.",
                reason="certificate",
            )
        return TargetUnavailable(
            f"{where} does not answer: {error}",
            hint=self._way.advice(error, self._scheme, self._host) or "Is it running, and the way to it open?",
            reason="not_running",
        )
