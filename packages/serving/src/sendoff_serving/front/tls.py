"""TLS of the listening socket: versions 1.2 and 1.3, the certificate read again when its files change."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from ..errors import ServingError


class Certificate:
    """A certificate with its key, as an SSL context that new connections use.

    Args:
        certificate: PEM file with the full chain; key: PEM file of its key.
        complain: told when changed files cannot be used; the certificate before them stays in force.

    Raises:
        ServingError: the files cannot be used at the start.
    """

    def __init__(self, certificate: Path, key: Path, complain: Callable[[str], None]) -> None:
        self._files = (certificate, key)
        self._complain = complain
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._stamp = self._stamps()
        try:
            self.context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise ServingError(
                "certificate_unusable", f"The certificate {certificate} with the key {key} cannot be used: {error}"
            ) from None

    def _stamps(self) -> tuple[int, ...]:
        try:
            return tuple(file.stat().st_mtime_ns for file in self._files)
        except OSError:
            return ()

    def refresh(self) -> None:
        """Load the files again if both are there and have changed; called about once a second."""
        stamp = self._stamps()
        if not stamp or stamp == self._stamp:
            return
        self._stamp = stamp
        # Tried in a context of its own first: a half-written pair must not break the one in use.
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
            self.context.load_cert_chain(*self._files)
        except (OSError, ssl.SSLError) as error:
            self._complain(f"The new certificate is not used: {error}")
