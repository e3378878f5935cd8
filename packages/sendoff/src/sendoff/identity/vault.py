"""The key vault of a workspace: values that scripts keep by name, encrypted in the secret store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..errors import NotFound
from ..spec.parse import did_you_mean
from ..spec.secret import Secret, SetSecret, check_secret

if TYPE_CHECKING:
    from ..store import Store


class Vault:
    """Secrets of workspaces; the caller has checked that the workspace exists."""

    def __init__(self, store: Store) -> None:
        self._secrets = store.secrets

    def set(self, workspace: str, name: str, body: SetSecret) -> Secret:
        """Keep a value under a name, over the one that was there.

        Raises:
            InvalidInput: No name for a secret.
        """
        check_secret(name)
        kept = json.dumps({"value": body.value, "content_type": body.content_type})
        self._secrets.set(_key(workspace, name), kept)
        return Secret(name=name, content_type=body.content_type)

    def get(self, workspace: str, name: str) -> Secret:
        """A value by its name.

        Raises:
            NotFound: There is none; the hint names the nearest.
        """
        kept = self._secrets.get(_key(workspace, name))
        if kept is None:
            raise NotFound(
                f"no secret {name!r} in workspace {workspace!r}",
                hint=did_you_mean(
                    name, [one.name for one in self.list(workspace)], "Keep one with Keyvault.set_secret."
                ),
                name=name,
            )
        return Secret(name=name, **json.loads(kept))

    def list(self, workspace: str) -> list[Secret]:
        """Names, without values."""
        prefix = _key(workspace, "")
        return [Secret(name=key.removeprefix(prefix)) for key in self._secrets.list() if key.startswith(prefix)]

    def delete(self, workspace: str, name: str) -> None:
        """Forget a value.

        Raises:
            NotFound: There is none.
        """
        if not self._secrets.delete(_key(workspace, name)):
            self.get(workspace, name)


def _key(workspace: str, name: str) -> str:
    return f"vault/{workspace}/{name}"
