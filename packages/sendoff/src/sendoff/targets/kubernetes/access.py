"""Keys, certificates and collector of a service that runs: its Secret, and that every pod goes by it.

A mounted Secret arrives within about a minute. A pod whose annotations change is looked at by its kubelet at once.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Mapping
from typing import Any

from ...clusters.api import Api
from ...errors import SendoffError, Timeout
from . import applying
from .kinds import POD
from .logs import server_of
from .render import Object

SECONDS = 120.0
_DIGEST = re.compile(r'^sendoff_access_info\{digest="(\w+)"\} 1', re.MULTILINE)


def bring(api: Api, namespace: str, name: str, secret: Object, *, scheme: str, seconds: float = SECONDS) -> None:
    """Put a service's Secret in place and wait until every ready pod goes by it.

    Args:
        api: The cluster.
        namespace: Its.
        name: What its objects are called.
        secret: As rendered.
        scheme: In which its servers are spoken to.
        seconds: How long to wait; what is in the cluster stays there, and arrives later.

    Raises:
        Timeout: Some pods have not taken it by then; until they do, they go by what was before.
        SendoffError: The cluster refuses or does not answer.
    """
    held = applying.apply_one(api, namespace, secret)  # a later one where there is one
    wanted = hashlib.sha256(base64.b64decode(held["data"]["auth.json"])).hexdigest()[:16]
    end = time.monotonic() + seconds
    touched: set[str] = set()
    while True:
        pods = [pod for pod in applying.own(api, namespace, POD, name) if not pod["metadata"].get("deletionTimestamp")]
        fresh = [pod for pod in pods if pod["metadata"]["name"] not in touched]
        applying.touch(api, namespace, fresh, wanted)
        touched |= {pod["metadata"]["name"] for pod in fresh}
        late = [
            pod["metadata"]["name"] for pod in pods if _ready(pod) and not _goes_by(api, namespace, pod, wanted, scheme)
        ]
        if not late:
            return
        if time.monotonic() > end:
            raise Timeout(
                f"pods have not taken the new keys after {seconds:.0f} s: {', '.join(late)}",
                hint="They arrive within some minutes; until then these pods go by the old ones.",
                pods=late,
            )
        time.sleep(0.3)


def _goes_by(api: Api, namespace: str, pod: Mapping[str, Any], wanted: str, scheme: str) -> bool:
    """Whether a pod says that it goes by a version; one that may not be asked is taken at the kubelet's word."""
    try:
        said = api.text(f"{server_of(pod, namespace, scheme)}/metrics", seconds=3.0)
    except SendoffError as error:
        return error.context.get("status") in (401, 403)
    found = _DIGEST.search(said)
    return found is None or found[1] == wanted


def _ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
