"""The way from this machine to a server: which certificates are trusted, and through which proxy it goes."""

from __future__ import annotations

import base64
import contextlib
import http.client
import ipaddress
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..environments.indexes import Indexes
from ..errors import InvalidInput


class Way:
    """How connections are opened: as settings, pip's configuration and the environment say.

    Args:
        indexes: Holds the settings' certificates, proxy and exceptions.
        environ: As ``os.environ``, for ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.
    """

    def __init__(self, indexes: Indexes, environ: Mapping[str, str]) -> None:
        self._indexes, self._environ = indexes, environ
        self._context: ssl.SSLContext | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """What TLS trusts: the system's certificates and those of the setting ``ca_bundle``."""
        if self._context is None:
            self._context = ssl.create_default_context()
            if self._indexes.cert:
                place = Path(self._indexes.cert).expanduser()
                try:
                    self._context.load_verify_locations(**{"capath" if place.is_dir() else "cafile": str(place)})
                except (OSError, ssl.SSLError) as error:
                    raise InvalidInput(
                        f"setting ca_bundle: {place} cannot be read: {error}", field="ca_bundle"
                    ) from None
        return self._context

    def own(self, host: str) -> bool:
        """Whether this way to a host (``host[:port]``) may be another one than the engine's."""
        return not _is_this_machine(host) and bool(self._indexes.cert or self.proxy(host))

    def proxy(self, host: str, scheme: str = "https") -> str | None:
        """The proxy for a host (``host[:port]``); None for a direct connection. This machine needs none."""
        if _is_this_machine(host) or _excepted(host, self._setting("no_proxy")):
            return None
        found = self._indexes.proxy or self._setting(f"{scheme}_proxy") or self._setting("all_proxy")
        return (found if "://" in found else f"http://{found}") if found else None

    def link(self, scheme: str, host: str, seconds: float) -> tuple[http.client.HTTPConnection, str]:
        """A connection that is not open yet, and what goes before the path of requests over it.

        Raises:
            InvalidInput: The proxy is of a kind that is not spoken here.
        """
        proxy = self.proxy(host, scheme)
        plain = scheme == "http"
        if proxy is None:
            if plain:
                return http.client.HTTPConnection(host, timeout=seconds), ""
            return http.client.HTTPSConnection(host, timeout=seconds, context=self.context), ""
        parts = urlsplit(proxy)
        if parts.scheme != "http" or not parts.hostname:
            raise InvalidInput(
                f"the proxy {parts.scheme}://{parts.hostname or ''} cannot be used for image registries",
                hint="Name one as http://host:port in the setting proxy.",
                field="proxy",
            )
        port = parts.port or 80
        headers = {}
        if parts.username:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Proxy-Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        if plain:
            through = _WithHeaders(parts.hostname, port, timeout=seconds)
            through.always = headers
            return through, f"http://{host}"
        link = http.client.HTTPSConnection(parts.hostname, port, timeout=seconds, context=self.context)
        name, number = _split_port(host)
        link.set_tunnel(name, number or 443, headers)
        return link, ""

    def _setting(self, name: str) -> str:
        if name == "no_proxy" and self._indexes.no_proxy:
            return self._indexes.no_proxy
        return self._environ.get(name) or self._environ.get(name.upper()) or ""


class _WithHeaders(http.client.HTTPConnection):
    always: Mapping[str, str] = {}

    def endheaders(self, message_body: object = None, *, encode_chunked: bool = False) -> None:
        for name, value in self.always.items():
            self.putheader(name, value)
        super().endheaders(message_body, encode_chunked=encode_chunked)  # type: ignore[arg-type]


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
