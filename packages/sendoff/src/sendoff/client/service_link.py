"""What a client needs to call a service at its own address: key or token, and a connection that trusts it."""

from __future__ import annotations

import getpass
import http.client
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..spec.identity import AccessToken
from ..spec.service import Service

if TYPE_CHECKING:
    from .calls import Client


class ServiceAuthorization:
    """Key or token for one service: asked for when first needed, and again when it is due.

    Args:
        client: Where to ask.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._key: str | None = None
        self._token: AccessToken | None = None

    def headers(self, view: Service) -> dict[str, str]:
        """The header that the service asks for; nothing for one that anybody may call."""
        if view.token_auth_enabled:
            if self._token is None or time.time() >= self._token.refresh_after:
                self._token = self._client.service_token(view.workspace, view.name, user())
            return bearer(self._token.access_token)
        if view.auth_enabled:
            if self._key is None:
                self._key = self._client.service_keys(view.workspace, view.name).primary_key
            return bearer(self._key)
        return {}

    def forget(self) -> None:
        """Ask anew the next time: what there was has been refused."""
        self._key = self._token = None


def bearer(credential: str) -> dict[str, str]:
    """A key or token as a request carries it."""
    return {"Authorization": f"Bearer {credential}"}


def connect(client: Client, view: Service, *, timeout: float | None) -> http.client.HTTPConnection:
    """A connection to a service's address, not opened yet.

    The service's own certificate is trusted, and the authorities of the system and of the setting ``ca_bundle``. The
    name of the certificate need not be in any DNS while the service runs on this machine.

    Args:
        client: Of the API that knows the service.
        view: The service; it has an address.
        timeout: Seconds.
    """
    parts = urlsplit(view.scoring_uri or "")
    if parts.scheme != "https":
        return client.way.link("http", parts.netloc, timeout)
    # The API named this very certificate: it is trusted as it is, whoever signed it.
    context = client.way.trusting(view.deployment.ssl_cert_pem or "")
    if client.embedded and parts.hostname == view.deployment.ssl_cname:
        return _Here(parts.hostname or "", parts.port, context, timeout)
    return client.way.link("https", parts.netloc, timeout, context=context)


class _Here(http.client.HTTPSConnection):
    """HTTPS to this machine, by the name of the certificate."""

    def __init__(self, host: str, port: int | None, context: ssl.SSLContext, timeout: float | None) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._trust = context

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        try:
            self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def user() -> str:
    """Who runs this; empty when the system does not know."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user in this container
        return ""
