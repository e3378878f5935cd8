"""Secrets: values encrypted in one file, the key in another (or in the environment)."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from .. import files
from ..errors import InvalidInput, StoreError

KEY_VARIABLE = "SENDOFF_SECRETS_KEY"
_NONCE = 12


class Secrets:
    """Named values, encrypted with AES-256-GCM. Names are not secret; a value cannot be moved to another name.

    The key is made on the first :meth:`set`: ``secrets.key`` in the home, mode 0600. ``SENDOFF_SECRETS_KEY`` (32 bytes
    in URL-safe base64) stands in its place, so that the key need not lie beside the values.
    """

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self._file = home / "secrets.json"
        self._key_file = home / "secrets.key"
        self._lock = home / "staging" / "secrets.lock"
        self._environ = environ

    def __repr__(self) -> str:
        return f"Secrets({str(self._file)!r}, values redacted)"

    def set(self, name: str, value: str) -> None:
        """Store a value under a name, over the one that was there."""
        if not name or "\0" in name:
            raise InvalidInput(f"secret name {name!r} is not allowed", field="name")
        with self._changing():
            values = self._load()
            values[name] = self._encrypt(name, value)
            self._save(values)

    def get(self, name: str) -> str | None:
        """The value, or None when there is none of that name.

        Raises:
            StoreError: The key is not the one that the value was stored with, or the file is damaged.
        """
        token = self._load().get(name)
        return None if token is None else self._decrypt(name, token)

    def delete(self, name: str) -> bool:
        """Remove a value; False when there was none."""
        with self._changing():
            values = self._load()
            if values.pop(name, None) is None:
                return False
            self._save(values)
            return True

    def list(self) -> list[str]:
        """The names, sorted."""
        return sorted(self._load())

    def _changing(self) -> AbstractContextManager[None]:
        return files.locked(self._lock)

    def _load(self) -> dict[str, str]:
        try:
            values = json.loads(self._file.read_bytes())["secrets"]
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreError(f"{self._file} cannot be read: {error.strerror}", path=str(self._file)) from None
        except (ValueError, KeyError, TypeError):
            raise StoreError(f"{self._file} is damaged", hint="Restore it from a copy.", path=str(self._file)) from None
        return dict(values)

    def _save(self, values: dict[str, str]) -> None:
        text = json.dumps({"version": 1, "secrets": values}, indent=1, sort_keys=True)
        files.write(self._file, text, lasting=True)

    def _encrypt(self, name: str, value: str) -> str:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE)
        sealed = AESGCM(self._key(make=True)).encrypt(nonce, value.encode(), name.encode())
        return base64.b64encode(nonce + sealed).decode()

    def _decrypt(self, name: str, token: str) -> str:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            data = base64.b64decode(token, validate=True)
            return AESGCM(self._key(make=False)).decrypt(data[:_NONCE], data[_NONCE:], name.encode()).decode()
        except (InvalidTag, ValueError):
            raise StoreError(
                f"secret {name!r} cannot be read with the present key, or was changed",
                hint=f"Check {self._key_file.name} and {KEY_VARIABLE}, or set the secret again.",
                path=str(self._file),
            ) from None

    def _key(self, *, make: bool) -> bytes:
        if text := self._environ.get(KEY_VARIABLE):
            return _decoded(text, KEY_VARIABLE)
        try:
            return _decoded(self._key_file.read_text().strip(), str(self._key_file))
        except FileNotFoundError:
            if not make:
                raise StoreError(
                    f"the key of the secrets is gone ({self._key_file})",
                    hint=f"Put it back, or set {KEY_VARIABLE}.",
                    path=str(self._key_file),
                ) from None
        except OSError as error:
            raise StoreError(f"{self._key_file} cannot be read: {error.strerror}", path=str(self._key_file)) from None
        key = secrets.token_bytes(32)
        files.write(self._key_file, base64.urlsafe_b64encode(key) + b"\n", lasting=True)
        return key


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text.encode())
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise StoreError(f"{where} is no key", hint="A key is 32 bytes in URL-safe base64.", where=where)
    return key
