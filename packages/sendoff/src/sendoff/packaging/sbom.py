"""What is in an image, as a CycloneDX 1.5 document (https://cyclonedx.org/docs/1.5/json/)."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ..spec.bundle import Bundle
from ..spec.environment import Lock
from .base_image import BaseImage


def sbom(base: BaseImage, bundle: Bundle, lock: Lock | None, front: Mapping[str, str], python: str) -> bytes:
    """The document; equal inputs give equal bytes.

    Args:
        base: The base image; its system's packages are listed where it tells them (Debian and its kin).
        bundle: What is served.
        lock: The user's packages, with hashes.
        front: The scoring server's packages, name to version.
        python: The worker's Python version.
    """
    listed: list[dict[str, Any]] = [
        {
            "type": "container",
            "name": base.reference,
            "version": base.id,
            "bom-ref": "base",
        }
    ]
    listed += [_python_package(name, version, "front", ()) for name, version in sorted(front.items())]
    if lock is not None:
        hashes = _hashes(lock.requirements)
        listed += [_python_package(n, v, "environment", hashes.get(n, ())) for n, v in sorted(lock.pins().items())]
        listed += [_conda_package(record) for record in lock.conda_records]
    listed.append({"type": "platform", "name": "cpython", "version": python, "bom-ref": "python"})
    listed += [
        {
            "type": "machine-learning-model",
            "name": m.name,
            "version": str(m.version),
            "bom-ref": f"model:{m.name}:{m.version}",
        }
        for m in bundle.models
    ]
    system = base.system.partition(" ")[0] or "linux"
    listed += [
        {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:deb/{system}/{quote(name)}@{quote(version, safe='')}",
            "bom-ref": f"deb:{name}@{version}",
        }
        for name, version in base.packages
    ]
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": bundle.service.name, "version": bundle.service.version},
            "tools": {"components": [{"type": "application", "name": "sendoff"}]},
        },
        "components": listed,
    }
    number = uuid.UUID(bytes=hashlib.sha256(json.dumps(document, sort_keys=True).encode()).digest()[:16], version=5)
    document["serialNumber"] = f"urn:uuid:{number}"
    return json.dumps(document, sort_keys=True, indent=1).encode()


def _conda_package(record: Mapping[str, Any]) -> dict[str, Any]:
    name, version = str(record["name"]), str(record["version"])
    marks = {"build": record["build"], "subdir": record["subdir"]}
    found: dict[str, Any] = {
        "type": "library",
        "name": name,
        "version": version,
        # https://github.com/package-url/purl-spec/blob/main/types-doc/conda-definition.md
        "purl": f"pkg:conda/{quote(name)}@{quote(version, safe='')}?{urlencode(marks)}",
        "bom-ref": f"conda:{name}",
        "externalReferences": [{"type": "distribution", "url": record["url"]}],
        "properties": [{"name": "sendoff:part", "value": "conda"}],
    }
    if record.get("sha256"):
        found["hashes"] = [{"alg": "SHA-256", "content": record["sha256"]}]
    return found


def _python_package(name: str, version: str, part: str, hashes: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{quote(version, safe='')}",
        "bom-ref": f"{part}:{name}",
        "properties": [{"name": "sendoff:part", "value": part}],
    }
    listed = [{"alg": "SHA-256", "content": one} for one in sorted(hashes)]
    # One file of a release was installed; the lock allows each of these.
    if len(listed) == 1:
        found["hashes"] = listed
    return found


def _hashes(requirements: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for block in re.findall(r"^\S.*(?:\n[ \t]+.*)*", requirements, re.MULTILINE):
        name = re.match(r"[A-Za-z0-9._-]+", block)
        if name:
            key = re.sub(r"[-_.]+", "-", name[0]).lower()
            found[key] = re.findall(r"sha256:([0-9a-f]{64})", block)
    return found
