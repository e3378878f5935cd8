"""What a client needs to call a service at its own address: key or token, and a connection that trusts it."""

from __future__ import annotations

import getpass
import http.client
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import Unreachable
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


def connect(view: Service, *, timeout: float | None, embedded: bool) -> http.client.HTTPConnection:
    """A connection to a service's address, not opened yet.

    The service's own certificate is trusted, and the authorities of the system and of ``SENDOFF_CA_BUNDLE``. The name
    of the certificate need not be in any DNS while the service runs on this machine.

    Args:
        view: The service; it has an address.
        timeout: Seconds.
        embedded: The service runs on this machine.
    """
    parts = urlsplit(view.scoring_uri or "")
    host = parts.hostname or ""
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port, timeout=timeout)
    address = "127.0.0.1" if embedded and host == view.deployment.ssl_cname else host
    return _Secure(host, parts.port, address, _context(view), timeout)


class _Secure(http.client.HTTPSConnection):
    """HTTPS to an address, with the name of the certificate."""

    def __init__(
        self, host: str, port: int | None, address: str, context: ssl.SSLContext, timeout: float | None
    ) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._address = address
        self._trust = context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        try:
            self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def _context(view: Service) -> ssl.SSLContext:
    bundle = os.environ.get("SENDOFF_CA_BUNDLE")
    try:
        context = ssl.create_default_context()
        if bundle:
            context.load_verify_locations(cafile=bundle)
    except OSError as error:
        raise Unreachable(
            f"SENDOFF_CA_BUNDLE: {bundle} cannot be used: {error}", hint="It names a file of certificates in PEM form."
        ) from None
    if view.deployment.ssl_cert_pem:
        # The API named this very certificate: it is trusted as it is, whoever signed it.
        context.load_verify_locations(cadata=view.deployment.ssl_cert_pem)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def user() -> str:
    """Who runs this; empty when the system does not know."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user in this container
        return ""
