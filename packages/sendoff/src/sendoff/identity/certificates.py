"""What can be known to be wrong with a certificate and its key before anything starts (spec/behaviour.md sec. 14)."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def certificate_id(certificate: str) -> str:
    """A short name for a certificate's text: the names of its files, and of its key among the secrets."""
    return hashlib.sha256(certificate.encode()).hexdigest()[:16]


def check_pair(
    certificate: str, key: str, *, cert_file: str, key_file: str, cname: str | None, now: float | None = None
) -> list[str]:
    """Raise unless certificate and key go together and are good now.

    Args:
        certificate: PEM text: the server's certificate, then the chain up to, and without, the root.
        key: PEM text of its key.
        cert_file: What the certificate is called in an error; ``key_file`` the same.
        key_file: What the key is called in an error.
        cname: The name that clients use.
        now: Unix time; the present by default.

    Returns:
        Sentences worth knowing that are no errors.

    Raises:
        InvalidInput: Names the file.
    """
    chain = _chain(certificate, cert_file)
    leaf = chain[0]
    private = _private(key, key_file)
    if _public(leaf.public_key()) != _public(private.public_key()):
        hint = "The file of the certificate starts with the server's own, then comes the chain."
        raise _wrong(key_file, f" is not the key of the first certificate in {cert_file}", hint, "ssl_key_pem_file")
    now = time.time() if now is None else now
    for number, one in enumerate(chain, 1):
        _check_dates(one, number, cert_file, now)
    return _check_name(leaf, cname, cert_file)


def _chain(text: str, file: str) -> list[Certificate]:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        found = []
    if not found:
        raise _wrong(file, " has no certificate in PEM form", "It starts with -----BEGIN CERTIFICATE-----.")
    return found


def _private(text: str, file: str) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(text.encode(), None)
    except TypeError:
        problem, hint = " is protected by a password", "Take it off: openssl pkey -in FILE -out PLAIN.pem."
    except Exception:  # the library has several for what is no key, and their words may hold parts of it
        problem, hint = " has no private key in PEM form", "It starts with -----BEGIN PRIVATE KEY-----."
    raise _wrong(file, problem, hint, "ssl_key_pem_file") from None


def _public(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _check_dates(one: Certificate, number: int, file: str, now: float) -> None:
    which = "the certificate" if number == 1 else f"certificate {number} of the chain"
    begins, ends = one.not_valid_before_utc, one.not_valid_after_utc
    if ends.timestamp() <= now:
        raise _wrong(file, f": {which} expired on {ends:%Y-%m-%d %H:%M} UTC", "Renew it.")
    if begins.timestamp() > now + 300:
        problem = f": {which} is not valid before {begins:%Y-%m-%d %H:%M} UTC"
        raise _wrong(file, problem, "Check this machine's clock.")


def _wrong(file: str, problem: str, hint: str, field: str = "ssl_cert_pem_file") -> InvalidInput:
    return InvalidInput(f"{file}{problem}", hint=hint, where=file, field=field)


def _check_name(leaf: Certificate, cname: str | None, file: str) -> list[str]:
    from cryptography import x509

    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [f"{file} has no subjectAltName: most clients will refuse it."]
    hosts = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    if cname is None or _covers(cname.lower(), hosts, addresses):
        return []
    problem = f" is for {', '.join([*hosts, *addresses]) or 'no name'}, not for ssl_cname {cname!r}"
    raise _wrong(file, problem, "Give the name in the certificate, or a certificate for that name.", "ssl_cname")


def _covers(cname: str, hosts: list[str], addresses: list[str]) -> bool:
    try:
        return str(ipaddress.ip_address(cname)) in addresses
    except ValueError:
        parent = cname.partition(".")[2]
        return cname in hosts or (bool(parent) and f"*.{parent}" in hosts)
