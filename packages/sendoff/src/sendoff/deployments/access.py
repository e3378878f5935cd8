"""Keys, tokens and certificates of services: what a request says of them, and what a target is given.

Who may ask and how is a fact of a revision, so that a failed update leaves it as it was; a rollback keeps it, since an
older model is no reason to open a service. The keys themselves belong to the service, never to a revision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import Conflict, InvalidInput, NotSupported
from ..identity import Identity, Rule
from ..identity.certificates import check_pair
from ..operations.operation_rows import AnyRow
from ..spec.access import Access
from ..spec.deployment import DeploymentSpec
from ..spec.identity import (
    KEY,
    NONE,
    TOKEN,
    AccessToken,
    IssueToken,
    RegenerateKey,
    ServiceKeys,
    check_key,
    which_key,
)
from ..spec.names import service_flags
from ..spec.parse import replace
from ..targets.base import Wanted
from . import revision_rows, service_rows, telemetry
from .choose_target import wants_keys

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..rooms import Rooms
    from ..store import Store
    from ..targets.base import Capabilities
    from .plan import Plan

_FIELDS = (
    *("auth_enabled", "token_auth_enabled", "protected_paths"),
    *("ssl_enabled", "ssl_cert_pem_file", "ssl_key_pem_file", "ssl_cname", "ssl_cert_pem"),
    "enable_app_insights",
)


@dataclass(frozen=True, kw_only=True)
class Given:
    """Secrets of one request, on their way from it to the secret store."""

    primary_key: str | None = field(default=None, repr=False)
    secondary_key: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)
    certificate_key: str | None = field(default=None, repr=False)

    @property
    def keys(self) -> bool:
        """Whether a key was given."""
        return self.primary_key is not None or self.secondary_key is not None


def without_secrets(deployment: DeploymentSpec) -> tuple[DeploymentSpec, Given]:
    """A configuration as a revision may hold it, and what it must not hold.

    Raises:
        InvalidInput: A key cannot be one; it is not repeated.
    """
    for name in ("primary_key", "secondary_key"):
        key = getattr(deployment, name)
        if key is not None:
            check_key(key, name)
    given = Given(
        primary_key=deployment.primary_key,
        secondary_key=deployment.secondary_key,
        certificate=deployment.ssl_cert_pem,
        certificate_key=deployment.ssl_key_pem,
    )
    return replace(deployment, primary_key=None, secondary_key=None, ssl_key_pem=None), given


def settled(
    store: Store, deployment: DeploymentSpec, given: Given, able: Capabilities, service: AnyRow | None
) -> tuple[DeploymentSpec, list[str]]:
    """The configuration with every question about access answered, and notes.

    Args:
        store: Where keys of certificates are.
        deployment: Without secrets.
        given: Those of the request.
        able: What the target can keep.
        service: The service, when it is there already.

    Raises:
        InvalidInput: Certificate and key are missing, do not go together or are not good now.
    """
    keys = able.auth and wants_keys(deployment)
    tokens = able.auth and bool(deployment.token_auth_enabled)
    asked = deployment.ssl_enabled
    secure = able.tls and (asked if asked is not None else deployment.ssl_cert_pem_file is not None)
    deployment = replace(deployment, auth_enabled=keys, token_auth_enabled=tokens, ssl_enabled=secure)
    if not secure:
        return deployment, []
    certificate = deployment.ssl_cert_pem
    cert_file = deployment.ssl_cert_pem_file or "ssl_cert_pem"
    key_file = deployment.ssl_key_pem_file or "ssl_key_pem"
    if certificate is None:
        raise InvalidInput(
            "ssl_enabled needs a certificate and its key",
            hint="Give ssl_cert_pem_file and ssl_key_pem_file; over the HTTP API, their text in ssl_cert_pem "
            "and ssl_key_pem.",
            field="ssl_cert_pem_file",
        )
    if given.certificate_key is not None:
        return deployment, check_pair(
            certificate, given.certificate_key, cert_file=cert_file, key_file=key_file, cname=deployment.ssl_cname
        )
    if service is None or not Identity(store).has_certificate_key(service.uid, certificate):
        raise InvalidInput(
            f"the key of the certificate {cert_file} is missing",
            hint="Give ssl_key_pem_file; over the HTTP API, its text in ssl_key_pem.",
            field="ssl_key_pem_file",
        )
    return deployment, []


def keep(store: Store, uid: str, deployment: DeploymentSpec, given: Given) -> None:
    """Put what a request gave into the secret store; a service that asks for keys has some from now on."""
    identity = Identity(store)
    if given.keys or deployment.auth_enabled:
        identity.supply_keys(uid, given.primary_key, given.secondary_key)
    if given.certificate is not None and given.certificate_key is not None:
        identity.keep_certificate_key(uid, given.certificate, given.certificate_key)


def as_now(plan: Plan, now: Plan | None) -> Plan:
    """An earlier plan, guarded and watched as the service is now."""
    if now is None:
        return plan
    access = {name: getattr(now.deployment, name) for name in _FIELDS}
    return replace(plan, deployment=replace(plan.deployment, **access))


def mode_of(deployment: DeploymentSpec) -> str:
    """none, key or token."""
    if deployment.token_auth_enabled:
        return TOKEN
    return KEY if wants_keys(deployment) else NONE


def material(rooms: Rooms, service: AnyRow, *numbers: int) -> tuple[Access | None, dict[str, Any] | None]:
    """What requests are checked by and what is told of them, for the revision that answers and those that are named.

    Args:
        rooms: What to look into.
        service: The service's row.
        numbers: Revisions that are about to be started, the one that counts last; else the one that is wanted.
    """
    store = rooms.store
    with store.read() as connection:
        serving = revision_rows.serving_revision(connection, service.uid)
        wanted = [number for number in (serving, *(numbers or (service.wanted_revision,))) if number]
        plans = {number: revision_rows.get_plan(connection, service.uid, number) for number in wanted}
    found = {number: plan.deployment for number, plan in plans.items() if plan is not None}
    if not found:
        return None, None
    newest = next(number for number in reversed(wanted) if number in found)
    identity = Identity(store)
    rules = {
        number: Rule(auth=mode_of(one), certificate=one.ssl_cert_pem if one.ssl_enabled else None)
        for number, one in found.items()
    }
    if any(rule.auth == KEY for rule in rules.values()):
        identity.keys(service.uid)
    able = rooms.target(service.target).capabilities()
    protected = found[newest].protected_paths or ()
    guard = identity.access(service.uid, rules, newest, protected=protected, gateway=able.gateway != "own")
    told = telemetry.document(store, service, {number: found[number] for number in wanted if number in found}, able)
    return guard, told


def refresh(rooms: Rooms, service: AnyRow) -> None:
    """Hand the target keys, certificates and collector as they are now; what does not run is not started."""
    guard, told = material(rooms, service)
    if guard is None:
        return
    rooms.target(service.target).apply(
        Wanted(
            uid=service.uid,
            name=service.name,
            workspace=service.workspace,
            revision=service.wanted_revision,
            access=guard,
            telemetry=told,
            start=False,
        )
    )


class ServiceAccess:
    """Keys and tokens of services by their names, for the API.

    Args:
        rooms: What to look into, and where services run.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._identity = Identity(rooms.store)

    def keys(self, ws: str, name: str) -> ServiceKeys:
        """Both keys of a service.

        Raises:
            NotSupported: It asks for none.
        """
        return self._identity.keys(self._service(ws, name, KEY).uid)

    def regenerate(self, ws: str, name: str, body: RegenerateKey) -> ServiceKeys:
        """Replace one key. The old one is refused within a second; the other is good all the time.

        Raises:
            NotSupported: The service asks for no keys.
            InvalidInput: No such key, or a value that cannot be one.
        """
        which = which_key(body.key_type)
        service = self._service(ws, name, KEY)
        found = self._identity.regenerate(service.uid, which, body.key_value)
        refresh(self._rooms, service)
        return found

    def token(self, ws: str, name: str, body: IssueToken) -> AccessToken:
        """A token for a service.

        Raises:
            NotSupported: It takes none.
        """
        return self._identity.token(self._service(ws, name, TOKEN).uid, body.user)

    def rotate_signing_key(self) -> str:
        """Sign tokens with a new key from now on; every service learns of it first. The key's id."""
        made = self._identity.rotate_signing_key()
        with self._store.read() as connection:
            services = service_rows.list_services(connection)
        for service in services:
            refresh(self._rooms, service)
        return made

    def _service(self, ws: str, name: str, mode: str) -> AnyRow:
        with self._store.read() as connection:
            row = service_rows.get_service(connection, ws, name)
            coming = _wanted_mode(connection, row)
        if row.deleting:
            raise Conflict(f"service {name!r} is being deleted")
        now = TOKEN if row.token_auth_enabled else KEY if row.auth_enabled else NONE
        if mode in (now, coming):
            return row
        if mode == KEY:
            has, flag, option = "takes tokens, not keys" if now == TOKEN else "has no keys", "auth_enabled", "--ae"
            other = "get_token() gives one. " if now == TOKEN else ""
        else:
            has = "takes keys, not tokens" if now == KEY else "takes no tokens"
            flag, option, other = "token_auth_enabled", "--token-auth-enabled", ""
        raise NotSupported(
            f"service {name!r} {has}: {flag} is false",
            hint=f"{other}'sendoff service update {service_flags(name, ws)} {option} true' turns it on, or "
            f"update({flag}=True).",
            field=flag,
        )


def _wanted_mode(connection: Connection, row: AnyRow) -> str:
    plan = revision_rows.get_plan(connection, row.uid, row.wanted_revision)
    return NONE if plan is None else mode_of(plan.deployment)
