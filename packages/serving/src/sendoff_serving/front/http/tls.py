"""TLS of the listening socket: versions 1.2 and 1.3, the certificate read again when its files change."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

from ...errors import ServingError

# Forward secrecy and authenticated encryption alone; TLS 1.3 has nothing else.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


class Certificate:
    """A certificate with its key, as an SSL context that new connections use.

    Args:
        certificate: PEM file with the full chain; key: PEM file of its key.
        complain: told when changed files cannot be used; the certificate before them stays in force.

    Raises:
        ServingError: the files cannot be used at the start.
    """

    def __init__(self, certificate: Path, key: Path, complain: Callable[[str], None]) -> None:
        self.files = (certificate, key)
        self._complain = complain
        self._stamp = self._stamps()
        try:
            self._newest = self._load()
            _check_dates(certificate)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise ServingError("certificate_unusable", self._cannot(error)) from None
        # Every handshake takes the newest pair, and a pair that cannot be loaded never touches what is in use.
        self.context = self._load()
        self.context.sni_callback = self._choose

    def _choose(self, link: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        link.context = self._newest

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(*self.files, password=_no_password)
        return context

    def _cannot(self, error: Exception) -> str:
        certificate, key = self.files
        for file in self.files:
            if not file.is_file():
                return f"The file {file} is not there"
        return f"The certificate {certificate} with the key {key} cannot be used: {error}"

    def _stamps(self) -> tuple[int, ...]:
        try:
            facts = [file.stat() for file in self.files]
        except OSError:
            return ()
        return tuple(number for fact in facts for number in (fact.st_mtime_ns, fact.st_ino, fact.st_size))

    def refresh(self) -> None:
        """Load the files again if both are there and have changed; called about once a second."""
        stamp = self._stamps()
        if not stamp or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._newest = self._load()
        except (OSError, ssl.SSLError, ValueError) as error:
            self._complain(f"The new certificate is not used: {error}")


def _no_password() -> str:
    raise ValueError("the key is protected by a password")


def _check_dates(file: Path) -> None:
    """Raise for a certificate that has expired; without the package cryptography clients will tell."""
    try:
        from cryptography import x509
    except ImportError:
        return
    made = x509.load_pem_x509_certificates(file.read_bytes())[0]
    if made.not_valid_after_utc <= datetime.datetime.now(datetime.UTC):
        raise ValueError(f"it expired on {made.not_valid_after_utc:%Y-%m-%d}")
