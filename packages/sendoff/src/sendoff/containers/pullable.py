"""Whether an image can be pulled by whoever has certain credentials: asked of its registry, without pulling it."""

from __future__ import annotations

from typing import Literal

from ..connections import Way
from ..errors import NotFound
from .registries import Credentials, split_reference
from .registry_client import RegistryClient


def pullable(reference: str, *, credentials: Credentials | None, way: Way) -> Literal[True]:
    """Whether the registry has an image and gives it to these credentials.

    Args:
        reference: ``registry/repository@sha256:…``, or with a tag.
        credentials: Those that whoever pulls it will have; None for nobody's.
        way: How connections are opened here.

    Raises:
        Unauthorized: It is denied; ``reason`` is ``login`` where it wants other credentials, ``forbidden`` where it
            knows these and they have no right to it.
        NotFound: There is no such image.
        Unreachable: The registry does not answer; ``reason`` is ``certificate`` where its certificate is not trusted.
    """
    registry, repository, tag = split_reference(reference)
    if RegistryClient(registry, repository, credentials=credentials, way=way).has_image(tag):
        return True
    raise NotFound(
        f"the registry {registry} has no image {tag} in {repository}",
        hint="It may have been removed there: deploy again, which pushes it.",
        reason="missing",
    )
