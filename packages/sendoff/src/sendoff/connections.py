"""How this machine reaches others by HTTP: which certificates are trusted, and through which proxy it goes.

Everything that calls out goes this way: the client of a Sendoff server, services at their own address, data that is
fetched by address, image registries. uv, conda and container engines open connections of their own.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import ipaddress
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from .errors import InvalidInput, Unreachable

_REDIRECTS = 6


class Way:
    """How connections are opened: as settings and the environment say. An address of this machine needs no proxy.

    Args:
        environ: As ``os.environ``, for ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.
        ca_bundle: File or folder of certificates that are trusted beside the system's.
        proxy: Stands over the environment's proxies.
        no_proxy: Stands over ``NO_PROXY``.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        ca_bundle: str | None = None,
        proxy: str | None = None,
        no_proxy: str | None = None,
    ) -> None:
        self._environ = environ
        self._ca_bundle, self._proxy, self._no_proxy = ca_bundle, proxy, no_proxy

    @functools.cached_property
    def context(self) -> ssl.SSLContext:
        """What TLS trusts: the system's certificates and those of the setting ``ca_bundle``."""
        return self.trusting("")

    def trusting(self, certificate: str) -> ssl.SSLContext:
        """As :attr:`context`, and this very certificate (PEM text), whoever signed it.

        Raises:
            InvalidInput: The setting's file cannot be read.
        """
        context = ssl.create_default_context()
        if self._ca_bundle:
            place = Path(self._ca_bundle).expanduser()
            try:
                context.load_verify_locations(**{"capath" if place.is_dir() else "cafile": str(place)})
            except (OSError, ssl.SSLError) as error:
                raise InvalidInput(
                    f"setting ca_bundle: {place} cannot be read: {error}",
                    hint="It, or SENDOFF_CA_BUNDLE, names a file of certificates in PEM form.",
                    field="ca_bundle",
                ) from None
        if certificate:
            context.load_verify_locations(cadata=certificate)
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context

    def own(self, host: str) -> bool:
        """Whether this way to a host (``host[:port]``) may be another one than the engine's."""
        return not _is_this_machine(host) and bool(self._ca_bundle or self.proxy(host))

    def proxy(self, host: str, scheme: str = "https") -> str | None:
        """The proxy for a host (``host[:port]``); None for a direct connection. This machine needs none."""
        if _is_this_machine(host) or _excepted(host, self._setting("no_proxy")):
            return None
        found = self._proxy or self._setting(f"{scheme}_proxy") or self._setting("all_proxy")
        return (found if "://" in found else f"http://{found}") if found else None

    def link(
        self, scheme: str, host: str, seconds: float | None, *, context: ssl.SSLContext | None = None
    ) -> http.client.HTTPConnection:
        """A connection that is not open yet; requests over it name paths alone.

        Args:
            scheme: ``http`` or ``https``.
            host: ``host[:port]``.
            seconds: For connecting and each read; None waits for ever.
            context: What TLS trusts, :attr:`context` by default.

        Raises:
            InvalidInput: The proxy is of a kind that is not spoken here, or certificates cannot be read.
        """
        proxy = self.proxy(host, scheme)
        if proxy is None:
            if scheme == "http":
                return http.client.HTTPConnection(host, timeout=seconds)
            return http.client.HTTPSConnection(host, timeout=seconds, context=context or self.context)
        parts = urlsplit(proxy)
        if parts.scheme != "http" or not parts.hostname:
            raise InvalidInput(
                f"the proxy {parts.scheme}://{parts.hostname or ''} cannot be used to reach {host}",
                hint="Name one as http://host:port in the setting proxy, or the host in no_proxy.",
                field="proxy",
            )
        port = parts.port or 80
        headers = {}
        if parts.username:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Proxy-Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        if scheme == "http":
            return _Forwarded(parts.hostname, port, seconds, f"http://{host}", headers)
        link = http.client.HTTPSConnection(parts.hostname, port, timeout=seconds, context=context or self.context)
        name, number = _split_port(host)
        link.set_tunnel(name, number or 443, headers)
        return link

    def advice(self, error: Exception, scheme: str, host: str) -> str:
        """What to do about a connection that failed; empty when certificates and proxy have no part in it."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                "Name the file of its certificate, or of its authority's, in the setting ca_bundle (SENDOFF_CA_BUNDLE)."
            )
        proxy = self.proxy(host, scheme)
        if proxy is None:
            return ""
        through = urlsplit(proxy).netloc.rpartition("@")[2]
        return f"It was asked through the proxy {through}; the setting no_proxy (NO_PROXY) names hosts that need none."

    def fetch(self, address: str, seconds: float) -> bytes:
        """The bytes at an ``http://`` or ``https://`` address, redirections followed.

        Raises:
            Unreachable: Nothing answers there, or not with success.
        """
        at = address
        for _ in range(_REDIRECTS):
            parts = urlsplit(at)
            if parts.scheme not in ("http", "https") or not parts.netloc:
                break
            link = self.link(parts.scheme, parts.netloc, seconds)
            try:
                link.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
                answer = link.getresponse()
                if answer.status in (301, 302, 303, 307, 308):
                    at = urljoin(at, answer.getheader("Location") or "")
                    continue
                if answer.status != 200:
                    raise Unreachable(
                        f"{address} cannot be fetched: HTTP {answer.status} {answer.reason}",
                        hint="Check the address, or download it.",
                    )
                return answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(
                    f"{address} cannot be fetched: {error}",
                    hint=self.advice(error, parts.scheme, parts.netloc) or "Check the address, or download it.",
                ) from None
            finally:
                link.close()
        raise Unreachable(f"{address} cannot be fetched: it leads on and on", hint="Check the address, or download it.")

    def _setting(self, name: str) -> str:
        if name == "no_proxy" and self._no_proxy:
            return self._no_proxy
        return self._environ.get(name) or self._environ.get(name.upper()) or ""


class _Forwarded(http.client.HTTPConnection):
    """Plain HTTP through a proxy, which wants whole addresses and may want a password with each request."""

    def __init__(self, host: str, port: int, seconds: float | None, before: str, always: Mapping[str, str]) -> None:
        super().__init__(host, port, timeout=seconds)
        self._before, self._always = before, always

    def putrequest(self, method: str, url: str, *arguments: Any, **options: Any) -> None:
        super().putrequest(method, self._before + url, *arguments, **options)
        for name, value in self._always.items():
            self.putheader(name, value)


def _split_port(host: str) -> tuple[str, int | None]:
    parts = urlsplit(f"//{host}")
    return parts.hostname or host, parts.port


def _is_this_machine(host: str) -> bool:
    name = _split_port(host)[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return False


def _excepted(host: str, rules: str) -> bool:
    """Whether ``NO_PROXY`` names a host: a name with all below it, ``host:port``, an address or network, or ``*``."""
    name, port = _split_port(host)
    for rule in (one.strip().lower() for one in rules.replace(" ", ",").split(",")):
        if rule == "*":
            return True
        wanted, number = (rule, None) if "/" in rule else _split_port(rule) if rule else ("", None)
        if not wanted or (number is not None and number != port):
            continue
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(name) in ipaddress.ip_network(wanted, strict=False):
                return True
        bare = wanted.removeprefix("*").removeprefix(".")
        if name == bare or name.endswith(f".{bare}"):
            return True
    return False
