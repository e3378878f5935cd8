"""The key vault of a workspace (spec/surface.md sec. 2.3): values kept by name, encrypted in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import NotFound
from ..spec.secret import SetSecret
from .exceptions import UserErrorException, as_sdk_errors

if TYPE_CHECKING:
    from .workspace import Workspace


class KeyVaultContentType:
    """What `Keyvault.set_secret` may be told of a value."""

    not_provided = "not_provided"


class Keyvault:
    """Secrets of a workspace.

    Args:
        workspace: Whose.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @as_sdk_errors(UserErrorException)
    def set_secret(self, name: str, value: Any, content_type: Any = KeyVaultContentType.not_provided) -> None:
        """Keep a value under a name, over the one that was there.

        Raises:
            UserErrorException: No name for a secret.
        """
        kind = None if content_type == KeyVaultContentType.not_provided else str(content_type)
        self.workspace._client.set_secret(self.workspace.name, name, SetSecret(value=str(value), content_type=kind))

    def set_secrets(self, secrets_batch: dict[str, str]) -> None:
        """Keep several."""
        for name, value in secrets_batch.items():
            self.set_secret(name, value)

    @as_sdk_errors(UserErrorException)
    def get_secret(self, name: str) -> str | None:
        """The value of that name; None when there is none, as in SDK v1."""
        try:
            return self.workspace._client.secret(self.workspace.name, name).value
        except NotFound:
            return None

    def get_secrets(self, secrets: Sequence[str]) -> dict[str, str | None]:
        """Several values by name."""
        return {name: self.get_secret(name) for name in secrets}

    @as_sdk_errors(UserErrorException)
    def get_secret_content_type(self, name: str) -> str | None:
        """What was said of the value when it was kept.

        Raises:
            UserErrorException: There is none of that name.
        """
        return self.workspace._client.secret(self.workspace.name, name).content_type

    @as_sdk_errors(UserErrorException)
    def list_secrets(self) -> list[dict[str, str]]:
        """Names, each as ``{"name": …}``."""
        return [{"name": one.name} for one in self.workspace._client.secrets(self.workspace.name)]

    @as_sdk_errors(UserErrorException)
    def delete_secret(self, name: str) -> None:
        """Forget a value.

        Raises:
            UserErrorException: There is none of that name.
        """
        self.workspace._client.delete_secret(self.workspace.name, name)

    def delete_secrets(self, secrets: Sequence[str]) -> None:
        """Forget several."""
        for name in secrets:
            self.delete_secret(name)
