"""Open a store: make it, migrate it after a backup, or refuse it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from .. import files
from ..errors import InvalidInput, StoreError
from ..spec.settings import Settings, load_settings
from . import copies, migrate, sqlite
from .blobs import BlobStore
from .secrets import Secrets

DATABASE = "sendoff.db"
_FOLDERS = ("blobs", "staging", copies.FOLDER)


class Store:
    """An open store. It may be shared by threads, and by processes that each open their own.

    Attributes:
        home: The home folder.
        engine: SQLAlchemy's engine; use :meth:`begin` and :meth:`read`, which explain what goes wrong.
        blobs: Content-addressed files.
        secrets: Encrypted values.
    """

    def __init__(self, home: Path, engine: Engine, blobs: BlobStore, environ: Mapping[str, str]) -> None:
        self.home = home
        self.engine = engine
        self.blobs = blobs
        self.secrets = Secrets(home, environ)
        self._environ = environ
        self._reader = engine.execution_options(**{sqlite.READ_ONLY_TRANSACTION: True})

    def __repr__(self) -> str:
        return f"Store({str(self.home)!r})"

    @cached_property
    def settings(self) -> Settings:
        """The home's settings, read once.

        Raises:
            InvalidInput: ``settings.toml`` or a ``SENDOFF_*`` variable is wrong.
        """
        return load_settings(self.home, self._environ)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: committed at the end of the block, rolled back when it raises.

        One at a time in the whole home; others wait up to 30 seconds. Keep slow work out of it.

        Raises:
            StoreError: The database is locked, full, read-only or damaged; nothing was written.
        """
        with explained(self.engine), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one consistent state, however long it takes, whoever writes meanwhile.

        Raises:
            StoreError: The database cannot be read.
        """
        with explained(self.engine), self._reader.begin() as connection:
            yield connection

    def born(self, connection: Connection) -> float:
        """When the database was made, Unix seconds; 0 where it does not say: an older Sendoff's, or on a server."""
        return sqlite.born(connection) if self.engine.dialect.name == "sqlite" else 0.0

    def close(self) -> None:
        """Close the database's connections."""
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(
    home: Path | str,
    *,
    url: str | None = None,
    environ: Mapping[str, str] | None = None,
    blobs: BlobStore | None = None,
) -> Store:
    """Open the store in a home folder; make it when there is none. One that is read-only is read.

    Args:
        home: The home folder; made with mode 0700 when it does not exist.
        url: SQLAlchemy URL of the metadata database; the file ``sendoff.db`` in the home by default.
        environ: Where ``SENDOFF_*`` settings and the secrets' key are looked up; ``os.environ`` by default.
        blobs: Where blobs lie; the home's own folder by default.

    Raises:
        StoreTooNew: A newer Sendoff wrote it.
        StoreError: The home cannot be made, read or written; nothing was changed.
    """
    from .local_blobs import LocalBlobs

    home = Path(os.path.abspath(Path(home).expanduser()))  # noqa: PTH100  a symlinked home keeps the user's own path
    path = None if url else home / DATABASE
    readable = path is not None and path.exists() and not os.access(home, os.W_OK)
    if not readable:
        _make_home(home)
    url = url or (sqlite.url_to_read(home / DATABASE) if readable else sqlite.url_of(home / DATABASE))
    engine = sqlite.make_engine(url) if make_url(url).get_backend_name() == "sqlite" else create_engine(url)
    try:
        with explained(engine):
            if readable:
                _check_readable(engine, home)
            else:
                _bring_up_to_date(engine, home, path)
    except BaseException:
        engine.dispose()
        raise
    return Store(
        home,
        engine,
        LocalBlobs(home / "blobs") if blobs is None else blobs,
        os.environ if environ is None else environ,
    )


def _make_home(home: Path) -> None:
    try:
        if not home.exists():
            home.mkdir(parents=True, mode=0o700, exist_ok=True)
        elif not home.is_dir():
            raise StoreError(f"home {home} is not a folder", hint="Set SENDOFF_HOME to a folder.", path=str(home))
        elif not any(home.iterdir()):
            home.chmod(0o700)
        for name in _FOLDERS:
            (home / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"home {home} cannot be made or written: {error.strerror}",
            hint="Set SENDOFF_HOME to a folder that you may write to.",
            path=str(home),
        ) from None


def _version(engine: Engine) -> str | None:
    with engine.execution_options(**{sqlite.READ_ONLY_TRANSACTION: True}).begin() as connection:
        return migrate.version_of(connection)


def _check_readable(engine: Engine, home: Path) -> None:
    """Of a home that nothing may be written to: only what needs no migration can be read."""
    version = _version(engine)
    migrate.check_known(version)
    if version != migrate.HEAD:
        raise StoreError(
            f"home {home} was written by an older Sendoff, and cannot be brought up to date: it is read-only",
            hint="Copy the folder to a place that you may write to, and set SENDOFF_HOME to that.",
            path=str(home),
        )


def _bring_up_to_date(engine: Engine, home: Path, path: Path | None) -> None:
    version = _version(engine) if path is None or path.exists() else None
    migrate.check_known(version)
    if version == migrate.HEAD:
        if path is not None:
            copies.copy_of_the_day(home, path)
        return
    with files.locked(home / "staging" / "migration.lock"):
        version = _version(engine) if path is None or path.exists() else None
        migrate.check_known(version)
        if version == migrate.HEAD:
            return  # another process was faster
        if path is not None:
            if version is None:
                copies.refuse_lost(home, path)
            else:
                stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
                sqlite.backup(path, home / copies.FOLDER / f"sendoff-{version}-{stamp}-{os.getpid()}.db")
            sqlite.use_wal(path)
            path.chmod(0o600)
        try:
            with engine.begin() as connection:
                migrate.upgrade(connection)
                if path is not None and version is None:
                    sqlite.note_birth(connection)
        except DBAPIError:
            # On a shared database a process on another machine may have migrated in the same moment.
            if _version(engine) != migrate.HEAD:
                raise


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn the database's own errors about disk, locks and connection into :class:`StoreError`.

    Broken constraints and wrong statements pass through: they are for the caller to understand.
    """
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError):
        raise
    except OverflowError:
        raise InvalidInput("a number is too large: the store holds whole numbers of 64 bits") from None
    except DBAPIError as error:
        raise _store_error(engine, error.orig or error) from error
    except Exception as error:
        if sqlite.explain(error) is None:
            raise
        raise _store_error(engine, error) from error


def _store_error(engine: Engine, error: BaseException) -> StoreError:
    url = engine.url
    sqlite_file = unquote(str(url.database).removeprefix("file:"))
    what = sqlite_file if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    found = sqlite.explain(error)
    if found is not None:
        file = Path(what)
        hint = found[1] or copies.how_to_restore(file.parent, file)
        return StoreError(f"the database {what} {found[0]}", hint=hint, path=what, reason=str(error))
    return StoreError(f"the database {what} refused: {error}", path=what, reason=str(error))
