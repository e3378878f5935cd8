"""The workspace: owns models, environments and services (spec/behaviour.md sec. 1)."""

from __future__ import annotations

from .parse import Spec


class CreateWorkspace(Spec):
    """Body of ``POST /v1/workspaces``."""

    name: str
    subscription_id: str = ""
    resource_group: str = ""
    location: str = "local"
    sku: str = "basic"
    friendly_name: str = ""
    tags: dict[str, str] = {}
    exist_ok: bool = False


class UpdateWorkspace(Spec):
    """Body of ``PATCH /v1/workspaces/{ws}``: what is absent stays; ``tags`` replaces all tags."""

    friendly_name: str | None = None
    tags: dict[str, str] | None = None


class Workspace(Spec):
    """A workspace as the API shows it; times are unix seconds."""

    name: str
    subscription_id: str
    resource_group: str
    location: str
    sku: str
    friendly_name: str
    tags: dict[str, str]
    created_time: float
