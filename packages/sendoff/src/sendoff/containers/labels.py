"""Labels by which a home finds its own containers, networks and images on an engine."""

from __future__ import annotations

import hashlib
from pathlib import Path

CONTENTS = "io.sendoff.contents"
"""What is in an image that we assembled: files and bytes of each layer, the largest files, as JSON."""
HOME, SERVICE, SERIAL, REVISION = "sendoff.home", "sendoff.service", "sendoff.serial", "sendoff.revision"


def home_id(home: Path) -> str:
    """What tells this home's containers, networks and images from another home's on the same engine."""
    return hashlib.sha256(str(home.absolute()).encode()).hexdigest()[:16]
