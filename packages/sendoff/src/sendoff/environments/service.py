"""Environments of a workspace: registered definitions, their locks, and what is built of them."""

from __future__ import annotations

import builtins
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update

from ..errors import AlreadyExists, EnvironmentNotFound
from ..progress import Progress, silent
from ..spec import names, parse
from ..spec.environment import (
    Environment,
    EnvironmentSpec,
    Lock,
    check_variables,
    check_version,
    same_definition,
    spec_digest,
)
from ..spec.environment_archives import stored_archives
from ..spec.environment_elsewhere import for_here
from ..spec.page import ALL, Listed, Window
from ..store.in_use import Dropped, References
from ..store.pages import select_page
from ..store.tables import environments, locks
from ..store.workspaces import require_workspace
from . import archives, build, interpreters
from .build import BuiltEnvironment, PresentEnvironment
from .indexes import Indexes, Supply, effective, take_credentials
from .resolve import Resolution, user_managed_in_image

if TYPE_CHECKING:
    from ..store import Store


class Environments:
    """What a workspace's environments are, and how they come to be on this machine.

    Args:
        store: An open store; its home holds what is built, its settings say where packages come from.
        environ: Where pip's settings, ``PATH`` and proxies are looked up; ``os.environ`` by default.
    """

    def __init__(self, store: Store, environ: Mapping[str, str] | None = None) -> None:
        self._store = store
        self._environ: Mapping[str, str] = os.environ if environ is None else environ

    def register(self, workspace: str, spec: EnvironmentSpec) -> Environment:
        """Store a definition as the next version (``1``, ``2``, …), or as ``spec.version`` when that is new.

        A definition that equals the newest version, or the version it names, keeps that version
        (spec/behaviour.md sec. 3). Passwords in index addresses and of the image registry go to the secrets.

        Args:
            workspace: The workspace's name.
            spec: The definition.

        Raises:
            InvalidInput: Name or version is not allowed, or the name is reserved.
            AlreadyExists: The named version exists with another definition.
            WorkspaceNotFound: There is no such workspace.
        """
        names.check_environment(spec.name)
        if spec.version is not None:
            check_version(spec.version)
        spec = for_here(self._without_secrets(spec))
        check_variables(spec.environment_variables, where=f"environment {spec.name}")
        with self._store.begin() as connection:
            require_workspace(connection, workspace)
            versions = _rows(connection, workspace, spec.name)
            same = versions[-1:] if spec.version is None else [v for v in versions if v.version == spec.version]
            if same and same_definition(same[0].spec, spec):
                return same[0]
            if spec.version is not None and same:
                raise AlreadyExists(
                    f"environment {spec.name} has a version {spec.version} with another definition",
                    hint="A version never changes: leave the version out to get the next one.",
                    name=spec.name,
                    version=spec.version,
                )
            numbers = [int(v.version) for v in versions if v.version.isascii() and v.version.isdigit()]
            version = spec.version or str(max(numbers, default=0) + 1)
            # The newest is the last registered: a clock that was set back must not change that.
            created = max([time.time(), *(v.created_time + 1e-3 for v in versions[-1:])])
            spec = parse.replace(spec, version=version)
            connection.execute(
                insert(environments).values(
                    workspace=workspace,
                    name=spec.name,
                    version=version,
                    digest=spec_digest(spec),
                    spec=parse.to_builtins(spec),
                    created=created,
                )
            )
            return _rows(connection, workspace, spec.name)[-1]

    def get(self, workspace: str, name: str, version: str | None = None) -> Environment:
        """A registered version; the newest when none is named.

        Raises:
            EnvironmentNotFound: There is none; the hint names what there is.
        """
        with self._store.read() as connection:
            versions = _rows(connection, workspace, name)
            hit = [v for v in versions if version in (None, v.version)]
            if hit:
                return self._with_day(connection, hit[-1])
            known = [] if versions else sorted({row.name for row in _rows(connection, workspace)})
        if versions:
            raise EnvironmentNotFound(
                f"environment {name} has no version {version!r}",
                hint=f"It has: {', '.join(v.version for v in versions)}.",
                name=name,
                version=version,
            )
        hint = parse.did_you_mean(name, known, "Run: sendoff environment list")
        if name.lower().startswith(("azureml", "microsoft")):
            hint = "The vendor's curated environments are not here: write a conda file and register it."
        raise EnvironmentNotFound(f"no environment {name!r} in workspace {workspace}", hint=hint, name=name)

    def list(self, workspace: str, *, window: Window = ALL) -> Listed[Environment]:
        """The newest version of each environment, by name."""
        one, newer = environments, environments.alias("newer")
        later = select(newer.c.version).where(newer.c.workspace == one.c.workspace, newer.c.name == one.c.name)
        query = select(one).where(one.c.workspace == workspace, ~later.where(newer.c.created > one.c.created).exists())
        with self._store.read() as connection:
            return select_page(connection, query, [one.c.name], window, _view)

    def resolve(
        self,
        spec: EnvironmentSpec,
        progress: Progress = silent,
        *,
        image: bool = False,
        stated: Sequence[str] = (),
        again: Lock | None = None,
    ) -> Lock:
        """Pin the whole closure of a definition, with hashes.

        The same definition, Python, platform and indexes give the same lock without asking an index again.

        Args:
            spec: The definition.
            progress: Receives plain lines.
            image: It is for an image: an interpreter that the user manages is in there, not on this machine.
            stated: ``NAME==VERSION`` of what the models were made with: a definition without pins is resolved as of
                the time of the newest (docs/environments.md).
            again: A lock of it that does not work: it is resolved once more as of the day that its pins tell, also
                where that is less than a year back, and the kept lock is replaced.

        Raises:
            InterpreterNotFound: No Python fits; the hint lists what there is.
            EnvironmentFailed: Nothing satisfies it, a package is unknown, or an index does not answer.
            InvalidInput: A line of it, or a setting, is wrong.
        """
        spec = self._without_secrets(spec)
        if image and spec.python.user_managed_dependencies:
            own = user_managed_in_image(spec)
            return self._keep(f"image:{own.digest}", own)
        resolution = Resolution(
            spec,
            home=self._store.home,
            settings=self._store.settings,
            environ=self._environ,
            credentials=self._credentials(spec.python.pip_packages),
            stated=stated,
            blobs=self._store.blobs,
            progress=progress,
        )
        if again is not None:
            lock = resolution.lock(recent=True)
            lock = self._replace(resolution.keys, again, lock) if lock.as_of is not None else again
        else:
            with self._store.read() as connection:
                kept = (_stored(connection, locks.c.spec_key == key) for key in resolution.keys)
                found = next((one for one in kept if one is not None), None)
            lock = found or self._keep(resolution.key, resolution.lock())
        self._mark(spec_digest(spec), lock.digest)
        if resolution.interpreter is not None and lock.python:
            lock = parse.replace(lock, python=resolution.interpreter.path)
        return lock

    def ensure(self, lock: Lock, progress: Progress = silent) -> BuiltEnvironment:
        """Build a lock's environment under the home, or find it built; see :func:`build.ensure`.

        Raises:
            EnvironmentFailed: It cannot be built.
            StoreError: The home cannot be written.
        """
        return build.ensure(lock, self.supply(lock, progress), home=self._store.home)

    def present(self) -> builtins.list[PresentEnvironment]:
        """Every built environment on disk, half-built ones (with an empty ``lock_digest``) too."""
        return build.present(self._store.home)

    def remove(self, key: str) -> bool:
        """Delete a built environment; False when there was none. That nothing runs in it is the caller's to know."""
        return build.remove(self._store.home, key)

    def interpreters(self) -> builtins.list[interpreters.Interpreter]:
        """Every Python on this machine, broken ones with a ``problem`` (for ``sendoff doctor``)."""
        return interpreters.discover(self._store.settings, self._environ)

    def image_credentials(self, spec: EnvironmentSpec) -> tuple[str, str] | None:
        """User and password that a definition gave for its base image's registry; None where it gave none."""
        registry = spec.docker.base_image_registry
        password = registry.get("password") or self._store.secrets.get(
            f"image-registry:{registry.get('address') or ''}"
        )
        return (str(registry["username"]), password) if password and registry.get("username") else None

    def indexes(self, options: builtins.list[str]) -> Indexes:
        """Where packages come from on this machine, for an environment with these pip options."""
        found, _ = effective(self._environ, self._store.settings, options, credentials=self._credentials(options))
        return found

    def supply(self, lock: Lock | None, progress: Progress = silent) -> Supply:
        """Where the packages of a lock, if there is one, come from on this machine.

        Raises:
            EnvironmentFailed: The store lacks an archive that its definition brought along.
        """
        if lock is not None:
            archives.lay_locked(lock.requirements, self._store.blobs, self._store.home)
        return Supply(self.indexes(lock.pip_options if lock is not None else []), self._environ, progress)

    def lock(self, digest: str) -> Lock | None:
        """The lock with that digest, whatever it was resolved from; None when it is gone."""
        with self._store.read() as connection:
            return _stored(connection, locks.c.digest == digest)

    def _keep(self, key: str, lock: Lock) -> Lock:
        with self._store.begin() as connection:
            stored = _stored(connection, locks.c.spec_key == key)
            if stored is not None:  # another process resolved it at the same time: one answer for all
                return stored
            connection.execute(
                insert(locks).values(
                    spec_key=key, digest=lock.digest, document=parse.to_builtins(lock), created=time.time()
                )
            )
        return lock

    def _replace(self, keys: builtins.list[str], old: Lock, new: Lock) -> Lock:
        """Keep another lock in an old one's place; the one that is there where somebody else was first."""
        with self._store.begin() as connection:
            for key in keys:
                stored = _stored(connection, locks.c.spec_key == key)
                if stored is not None and stored.digest != old.digest:
                    return stored
                values = {"digest": new.digest, "document": parse.to_builtins(new), "created": time.time()}
                if stored is not None:
                    connection.execute(update(locks).where(locks.c.spec_key == key).values(values))
        return new

    def _mark(self, digest: str, lock_digest: str) -> None:
        """Write the newest lock's digest beside every registered version that it is for."""
        column = environments.c.lock_digest
        stale = (environments.c.digest == digest) & or_(column.is_(None), column != lock_digest)
        with self._store.read() as connection:
            if connection.execute(select(environments.c.name).where(stale).limit(1)).first() is None:
                return
        with self._store.begin() as connection:
            connection.execute(update(environments).where(stale).values(lock_digest=lock_digest))

    def _with_day(self, connection: Connection, view: Environment) -> Environment:
        lock = view.lock_digest and _stored(connection, locks.c.digest == view.lock_digest)
        if not lock or lock.as_of is None:
            return view
        return parse.replace(view, lock_as_of=lock.as_of, lock_as_of_reason=lock.as_of_reason)

    def _without_secrets(self, spec: EnvironmentSpec) -> EnvironmentSpec:
        lines, found = take_credentials(spec.python.pip_packages)
        for bare, full in found.items():
            self._store.secrets.set(_secret_name(bare), full)
        if found:
            spec = parse.replace(spec, python=parse.replace(spec.python, pip_packages=lines))
        registry = spec.docker.base_image_registry
        if registry.get("password"):
            self._store.secrets.set(f"image-registry:{registry.get('address') or ''}", str(registry["password"]))
            kept = {key: value for key, value in registry.items() if key != "password"}
            spec = parse.replace(spec, docker=parse.replace(spec.docker, base_image_registry=kept))
        return spec

    def _credentials(self, lines: builtins.list[str]) -> dict[str, str]:
        """Addresses in pip options to what is meant by them: with their passwords, or a folder of kept archives."""
        found = archives.lay_links(lines, self._store.blobs, self._store.home)
        for line in lines:
            name, _, value = line.partition(" ")
            if name in ("--index-url", "--extra-index-url", "--find-links") and "://" in value:
                full = self._store.secrets.get(_secret_name(value))
                if full is not None:
                    found[value] = full
        return found


def in_use(connection: Connection, dropped: Dropped) -> References:
    """Archives that registered definitions brought along."""
    digests: set[str] = set()
    for spec in connection.scalars(select(environments.c.spec)):
        for line in spec.get("python", {}).get("pip_packages", []):
            digests |= {digest for _, digest in stored_archives(line)}
    return References(blobs=digests)


def _secret_name(address: str) -> str:
    return f"index-{hashlib.sha256(address.encode()).hexdigest()[:32]}"


def _stored(connection: Connection, which: ColumnElement[bool]) -> Lock | None:
    document = connection.scalar(select(locks.c.document).where(which).limit(1))
    return None if document is None else parse.decode(document, Lock, where="the stored lock")


def _rows(connection: Connection, workspace: str, name: str | None = None) -> list[Environment]:
    """Versions, in the order of their registration."""
    query: Any = select(environments).where(environments.c.workspace == workspace)
    if name is not None:
        query = query.where(environments.c.name == name)
    return [_view(row) for row in connection.execute(query.order_by(environments.c.created))]


def _view(row: Any) -> Environment:
    return Environment(
        name=row.name,
        version=row.version,
        digest=row.digest,
        spec=parse.decode(row.spec, EnvironmentSpec, where=f"stored environment {row.name}:{row.version}"),
        created_time=row.created,
        lock_digest=row.lock_digest,
    )
