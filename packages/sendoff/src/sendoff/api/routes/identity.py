"""Keys and tokens of services (docs/authentication.md)."""

from __future__ import annotations

from ...core import Core
from ...spec.identity import SERVER_TOKEN, AccessToken, IssueToken, RegenerateKey, ServiceKeys
from ...spec.service import Service
from ..noun import Noun, room
from ..route import Call

services = Noun("identity", Service, "/workspaces/{ws}/services", "/workspaces/{ws}/services/{name}")


def token(core: Core, call: Call) -> AccessToken:
    """A token for one service."""
    # Clients of a server show one token that is the same for all: who they say they are is not known to be true.
    # Embedded, the caller is this process.
    body = IssueToken(user=SERVER_TOKEN) if core.mode == "server" else call.body
    return core.deployments.access.token(call.path["ws"], call.path["name"], body)


ROUTES = (
    services.act(
        "listkeys",
        room(lambda core: core.deployments.access.keys),
        "Both keys of a service that asks for keys",
        ServiceKeys,
        action="list_keys",
    ),
    services.act(
        "regenerateKeys",
        room(lambda core: core.deployments.access.regenerate),
        "Replace one key of a service while the other stays good; both are answered",
        ServiceKeys,
        RegenerateKey,
        action="regenerate_keys",
    ),
    services.act(
        "token",
        token,
        "Issue a token for a service that asks for tokens",
        AccessToken,
        IssueToken,
        body_required=False,
        status=201,
    ),
)
