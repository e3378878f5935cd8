"""An environment's definition into a lock: every package of the closure, pinned, with hashes."""

from __future__ import annotations

import datetime
import hashlib
import re
import shutil
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EnvironmentFailed, InterpreterNotFound
from ..progress import Progress, silent
from ..spec import parse
from ..spec.environment import (
    AUTO,
    METHOD_CONDA,
    METHOD_PIP,
    METHOD_USER_MANAGED,
    NEVER,
    EnvironmentSpec,
    Lock,
    canonical_name,
    check_as_of,
    lock_digest,
    spec_digest,
)
from ..spec.environment_packages import redact
from ..spec.settings import Settings
from . import archives, as_of, conda, interpreters, plan, uv
from .as_of import AsOf
from .indexes import Supply, effective

if TYPE_CHECKING:
    from ..store.blobs import BlobStore

# How uv's answer is used can change between our own releases; locks of another rule are resolved anew.
_RULE = 1


class Resolution:
    """One resolution: what it depends on is fixed at once (:attr:`key`), the lock is made when asked for.

    Args:
        spec: The definition, without passwords in its pip options.
        home: Sendoff's home.
        settings: The home's settings.
        environ: As ``os.environ``.
        credentials: Index addresses without credentials to the same with them.
        stated: ``NAME==VERSION`` of what the models were made with, as their files state; the day of a definition
            without pins is told by it.
        blobs: Has the archives that the definition brought along; None where it brought none.

    Raises:
        InterpreterNotFound: No Python fits.
        InvalidInput: A line of the definition, or a setting, is wrong.
    """

    def __init__(
        self,
        spec: EnvironmentSpec,
        *,
        home: Path,
        settings: Settings,
        environ: Mapping[str, str],
        credentials: Mapping[str, str] | None = None,
        stated: Sequence[str] = (),
        blobs: BlobStore | None = None,
        progress: Progress = silent,
    ) -> None:
        self._spec, self._home, self._settings, self._blobs = spec, home, settings, blobs
        self.plan = plan.make_plan(spec)
        self.indexes, self._index_notes = effective(environ, settings, self.plan.options, credentials=credentials)
        self._supply = Supply(self.indexes, environ, progress)
        self.channels = spec.python.channels or settings.channels
        # conda's channels are asked only where somebody named channels of their own: what definitions list as conda
        # packages (numpy, scikit-learn) is on the pip index too as a rule, and needs no extra there.
        self._wants_conda = bool(self.plan.conda) and (
            any("://" in name or name.startswith(("/", ".")) for name in self.channels)
            or (bool(settings.channels) and not spec.python.channels)
        )
        self.interpreter, self._python_notes = self._python()
        self._asked = check_as_of(spec.python.as_of, where=f"environment {spec.name}")
        vendor = [line for line in spec.python.pip_packages if plan.is_vendor(plan.requirement_name(line))]
        # The vendor's packages are not installed, but their pins tell the time of the file as well as others do.
        lines = spec.python.pip_packages if self._by_channel else [*self.plan.choices[0], *vendor]
        self._pins = as_of.exact_pins([*lines, *self.plan.constraints])
        pinned = self._pins or (self._by_channel and plan.exact_conda(self.plan))
        self._stated = sorted(set(stated)) if self._asked == AUTO and not pinned else []
        self._as_of: AsOf | None = None
        self._undated: set[str] = set()
        self._unreadable: set[str] = set()

    @property
    def _by_channel(self) -> bool:
        """Whether conda's channels are asked first."""
        if not conda.installed() or not (self._wants_conda or (self.plan.unmapped and self.channels)):
            return False
        return self._wants_conda or not self._offline_channels

    @property
    def keys(self) -> list[str]:
        """Under which digests a lock may be kept, :attr:`key` first: one that was made without a model's word holds."""
        return list(dict.fromkeys([self.key, self._key([])]))

    @property
    def key(self) -> str:
        """The digest of everything that decides the outcome: definition, Python, platform, indexes, channels."""
        return self._key(self._stated)

    def _key(self, stated: list[str]) -> str:
        python = [self.interpreter.version, self.interpreter.platform] if self.interpreter else []
        # Its path counts only where its own packages are the environment; elsewhere any of its version gives the same.
        if self.interpreter and self._spec.python.user_managed_dependencies:
            python.append(self.interpreter.path)
        content = [_RULE, spec_digest(self._spec), python, self.indexes.key(), self.channels, conda.installed()]
        content += [stated] if stated else []
        return "sha256:" + hashlib.sha256(parse.encode(content)).hexdigest()

    def lock(self, *, recent: bool = False) -> Lock:
        """Ask the index (or the channels), and pin what it answers.

        Args:
            recent: Take the day that the pins tell also where it is less than a year back.

        Raises:
            EnvironmentFailed: Nothing satisfies the definition, a package is unknown, or an index does not answer.
            InterpreterNotFound: No Python fits.
        """
        if self._spec.python.user_managed_dependencies:
            assert self.interpreter is not None
            used = f"{self.interpreter.path} (Python {self.interpreter.version}) is used as it is"
            return self._make(METHOD_USER_MANAGED, self.interpreter.version, "", [f"userManagedDependencies: {used}"])
        day, notes = self._day(recent)
        if day is None:
            return self._resolved(notes)
        today = datetime.datetime.now(datetime.UTC).date()
        python = self.interpreter.version if self.interpreter else ""
        later = as_of.after_python(python, day, today=today) if day.automatic else None
        failures = []
        for one in filter(None, (day, later)):
            self._as_of, self._undated, self._unreadable = one, set(), set()
            self._supply.progress(str(one))
            try:
                return self._resolved([str(one)])
            except EnvironmentFailed as error:
                # Nobody asked for that day, so it gives way to what was asked for.
                if not one.automatic or error.context.get("reason") in ("unreachable", "disk"):
                    raise
                failures.append(error.message)
        self._as_of, self._undated, self._unreadable = None, set(), set()
        said = f"{day}; nothing fits then ({failures[0]}), so all packages that there are were looked at"
        return self._resolved([said])

    def _day(self, recent: bool) -> tuple[AsOf | None, list[str]]:
        """Which day's packages are looked at, and what the timeline should say where it is not told there."""
        if self._asked == NEVER:
            return None, []
        if self._asked != AUTO:
            day = datetime.date.fromisoformat(self._asked)
            return AsOf(day=day, reason="as the environment says", automatic=False), []
        target = ["--python", self.interpreter.path] if self.interpreter else []
        why, releases = "the newest that is pinned", as_of.released(self._pins, target, self._supply)
        if self._by_channel:
            exact = plan.exact_conda(self.plan)
            # Its Python is of the channel, too: a day before it was there would leave nothing to choose from.
            python = f"python {self._conda_python()}".strip()
            made = conda.released([*exact, python] if exact else [], self.channels, self._supply, **self._conda_facts())
            dated = any(one.day for one in (*releases, *made) if one.name != "python")
            releases += [one for one in made if dated or one.name != "python"]
        if self._stated:
            why, releases = "which the model was made with", as_of.released(self._stated, target, self._supply)
        found = as_of.after(releases, why, today=datetime.datetime.now(datetime.UTC).date(), recent=recent)
        if found is None and any(one.by_index for one in releases) and not any(one.day for one in releases):
            of = "channels give" if self._by_channel else f"{self.indexes.described()} gives"
            return None, [f"{of} no dates of releases: all packages that there are were looked at"]
        return found, []

    def _conda_facts(self) -> dict[str, Any]:
        return {"python": self._conda_python(), "cache": self._home / "cache"}

    def _resolved(self, notes: list[str]) -> Lock:
        if self._wants_conda and conda.installed():
            try:
                return self._conda(notes)
            except EnvironmentFailed as error:
                # Where the pip index has a counterpart of everything there is a second way, and the timeline says so.
                if self.plan.unmapped:
                    raise self._unmappable(error) from None
                return self._pip([*notes, f"{error.message}; the pip mapping is used instead"])
        if self.plan.unmapped:
            return self._conda_or_explain(notes)
        return self._pip(notes)

    def _python(self) -> tuple[interpreters.Interpreter | None, list[str]]:
        if self._spec.python.user_managed_dependencies:
            path = str(Path(self._spec.python.interpreter_path).expanduser())
            path = shutil.which(path, path=self._supply.environ.get("PATH")) or path
            found = interpreters.probe(path, self._supply.environ, own=True)
            if found.problem:
                raise InterpreterNotFound(
                    f"interpreterPath {self._spec.python.interpreter_path!r}: {found.problem}",
                    hint="Give the path of a Python 3.6 or newer that has the packages; nothing is installed into it.",
                    path=found.path,
                )
            return found, []

        def fetch(minor: str) -> None:
            self._supply.progress(f"fetching Python {minor}, which is not on this machine")
            uv.run(["python", "install", minor], self._supply, waits_for=f"fetching Python {minor}", timeout=600)

        environ = self._supply.environ
        try:
            return interpreters.pick(self.plan.python, self._settings, environ, fetch=fetch)
        except InterpreterNotFound:
            if self._wants_conda and conda.installed():
                return None, []  # the channel may have it
            raise

    def _pip(self, notes: list[str]) -> Lock:
        if self.interpreter is None:
            raise InterpreterNotFound(f"no Python for python{self.plan.python} is on this machine")
        text, more = self._compile(self.interpreter.release, ["--python", self.interpreter.path], {})
        return self._make(METHOD_PIP, self.interpreter.version, text, [*notes, *more, *self.plan.notes])

    def _conda_or_explain(self, notes: list[str]) -> Lock:
        if not self.channels:
            raise plan.unmappable(self.plan, [], "")
        if not conda.installed():
            raise plan.unmappable(self.plan, self._shown_channels(), "py-rattler is not installed (sendoff-ml[conda]).")
        if self._offline_channels:
            raise plan.unmappable(self.plan, self._shown_channels(), "The setting offline is on.")
        try:
            return self._conda(notes)
        except EnvironmentFailed as error:
            raise self._unmappable(error) from None

    @property
    def _offline_channels(self) -> bool:
        """Whether channels of the network are named, which the setting ``offline`` does not let us ask."""
        return self._settings.offline and not all(name.startswith(("file:", "/")) for name in self.channels)

    def _unmappable(self, error: EnvironmentFailed) -> EnvironmentFailed:
        return plan.unmappable(self.plan, self._shown_channels(), error.message, error.context.get("log"))

    def _conda_python(self) -> str:
        """conda's condition on Python: the definition's own, else the Python that would be taken."""
        if self.plan.python or not self.interpreter:
            return self.plan.python
        return f"={self.interpreter.version.rpartition('.')[0]}"

    def _conda(self, notes: list[str]) -> Lock:
        version = self._conda_python()
        specs = [f"python {version}".strip(), *self.plan.conda]
        notes = list(notes)
        until = self._as_of.until if self._as_of else None

        def solve() -> list[dict[str, Any]]:
            return conda.solve(specs, self.channels, self._supply, cache=self._home / "cache", until=until)

        # Old definitions pin a patch release of Python that their channel may have dropped: python=3.6.2 is met by the
        # newest patch of 3.6. The pin itself is tried first: where it is there, it is what was asked for.
        try:
            records = solve()
        except EnvironmentFailed:
            relaxed = re.fullmatch(r"={1,2}(\d+\.\d+)\.\d+", version)
            if not relaxed:
                raise
            specs[0] = f"python ={relaxed[1]}"
            records = solve()
            notes.append(f"python{version} is met by another patch release of {relaxed[1]}")
        by_name = {canonical_name(record["name"]): str(record["version"]) for record in records}
        python_version = by_name["python"]
        notes.append(
            f"{len(records)} conda packages (Python {python_version}) come from {', '.join(self._shown_channels())}"
        )
        release = tuple(int(part) for part in python_version.split(".")[:3])
        text = ""
        if any(line for line in self._spec.python.pip_packages if not line.startswith("-")):
            text, more = self._compile(release, ["--python-version", python_version], by_name)
            notes += more
        notes += [note for note in self.plan.notes if note.endswith("to the script")]
        return self._make(METHOD_CONDA, python_version, text, notes, records)

    def _compile(
        self, release: tuple[int, ...], target: list[str], conda_has: Mapping[str, str]
    ) -> tuple[str, list[str]]:
        """Run uv; with the additions first, without them when that fails."""
        # Additions are what a definition got without naming it: from the vendor's packages that are left out, or with
        # the Python of its time. Nobody asked for them, so they give way to what was asked for.
        additions = [
            one
            for one in (
                *self.plan.additions,
                *([] if conda_has else plan.python_additions(release, conda=bool(self.plan.conda))),
            )
            if one.name not in conda_has
            and all(one.name != plan.requirement_name(line) for line in self.plan.choices[0])
        ]
        choices = self.plan.choices
        if conda_has:
            # conda has installed its packages itself: the pip section alone is left, and of it there is one reading.
            lines = [line for line in self._spec.python.pip_packages if not line.startswith("-")]
            choices = [[line.split(" --hash=")[0] for line in lines if not plan.is_vendor(plan.requirement_name(line))]]
        failure: EnvironmentFailed | None = None
        for extra in [additions, []] if additions else [[]]:
            for lines in choices:
                wanted = [*lines, *(one.requirement for one in extra)]
                if not wanted:
                    return "", []
                try:
                    text = self._uv(wanted, target, conda_has)
                except EnvironmentFailed as error:
                    # Other lines cannot mend an index that does not answer.
                    if error.context.get("reason") not in ("missing", "conflict", "build"):
                        raise
                    failure = error
                    continue
                added = [f"{one.requirement} is added: {one.reason}" for one in extra]
                if not extra and additions:
                    named = ", ".join(one.requirement for one in additions)
                    added = [f"{named}: not added, since the rest does not resolve with it"]
                return self._checked(text, conda_has), added
        assert failure is not None
        raise failure

    def _uv(self, lines: list[str], target: list[str], conda_has: Mapping[str, str]) -> str:
        with tempfile.TemporaryDirectory(prefix="sendoff-lock-") as name:
            folder = Path(name)
            if self._blobs is not None:
                lines = [archives.lay(line, self._blobs, self._home) for line in lines]
            (folder / "requirements.in").write_text("\n".join(lines) + "\n", encoding="utf-8")
            # The vendor's packages are not installed, whoever requires them; the worker has what scripts import.
            # An override with a condition that no Python meets leaves them out of the closure.
            never = "\n".join(f"{vendor} ; python_version < '0'" for vendor in plan.VENDOR_NAMES)
            (folder / "vendor.txt").write_text(never + "\n", encoding="utf-8")
            # pip installs on top of conda, and must not move what conda has put there.
            pinned = [f"{package}=={version}" for package, version in conda_has.items() if _is_version(version)]
            constraints = [*self.plan.constraints, *pinned]
            (folder / "constraints.txt").write_text("\n".join(constraints) + "\n", encoding="utf-8")
            arguments = ["pip", "compile", str(folder / "requirements.in")]
            arguments += ["--overrides", str(folder / "vendor.txt"), "--constraints", str(folder / "constraints.txt")]
            arguments += ["--generate-hashes", "--no-header", "--no-annotate", "--emit-build-options"]
            arguments += ["--no-python-downloads", *target, *_pass_on(self.plan.options)]
            doing = f"resolving {uv.packages(len(lines))}"
            self._supply.progress(f"{doing} with {self.indexes.described()}")
            if self._as_of is None:
                return uv.run([*arguments, "--quiet"], self._supply, waits_for=doing)
            return self._uv_dated(arguments, self._as_of, doing)

    def _uv_dated(self, arguments: list[str], day: AsOf, doing: str) -> str:
        """Run uv with a day.

        Packages of an index that gives no dates are free of it, as uv says which. So are those of which uv passes over
        releases that it cannot read: else it goes back to whatever release has nothing to read, years before the day
        (every pandas from 0.14 to 0.23 requires ``pytz (>=2011k)``, and 0.11 would be taken).
        """
        while True:
            undated: set[str] = set()
            unreadable: set[str] = set()
            failure: EnvironmentFailed | None = None
            free = self._undated | self._unreadable
            try:
                found = uv.run(
                    [*arguments, *uv.dated(day.until, free)],
                    self._supply,
                    waits_for=doing,
                    undated=undated,
                    unreadable=unreadable,
                )
            except EnvironmentFailed as error:
                failure = error
            if not (undated | unreadable) - free:
                if failure is not None:
                    raise failure
                return found
            self._undated |= undated - free
            self._unreadable |= unreadable - free

    def _checked(self, text: str, conda_has: Mapping[str, str]) -> str:
        """uv's text, with the user's own hashes kept to, and without what conda installs."""
        kept: list[str] = []
        for block in re.findall(r"^\S.*(?:\n[ \t]+.*)*", text, re.MULTILINE):
            if block.startswith(("#", "-")):
                if block.startswith(("--no-binary", "--only-binary")):
                    kept.append(block)
                continue
            name = plan.requirement_name(block)
            pinned = re.match(r"[^=\s]+==([^\s;\\]+)", block)
            if pinned and conda_has.get(name) == pinned[1]:
                continue
            hashes = sorted(set(re.findall(r"--hash=(\S+)", block)))
            head = re.split(r"\s*\\?\n", block)[0].split(" --hash=")[0].rstrip(" \\")
            # What has no hash can be another thing tomorrow, and a lock promises the same thing.
            if not hashes:
                raise EnvironmentFailed(
                    f"{head} cannot be locked: its source gives no hash",
                    hint="Use a wheel or source archive from an index, a wheelhouse or a path.",
                )
            # uv gives every hash of the index; the user's own say that these files alone will do.
            if name in self.plan.hashes:
                hashes = sorted(set(hashes) & set(self.plan.hashes[name]))
                if not hashes:
                    raise EnvironmentFailed(
                        f"{head}: none of the hashes in the environment is one of the package index",
                        hint="Correct or remove the --hash options; if you trust them, find out who changed the index.",
                    )
            kept.append(" \\\n".join([head, *(f"    --hash={digest}" for digest in hashes)]))
        return archives.for_lock("\n".join(kept) + "\n", self._home) if kept else ""

    def _make(
        self, method: str, version: str, text: str, notes: list[str], records: list[dict[str, Any]] | None = None
    ) -> Lock:
        explicit = [f"{record['url']}#sha256:{record['sha256']}" for record in records or []]
        found = self.interpreter
        platform = found.platform if found else sysconfig.get_platform()
        path = found.path if found and method != METHOD_CONDA else ""
        # A path of this machine is in the digest only where the interpreter is the environment: elsewhere two machines
        # with Python in different places have the same lock, and images made of it are the same.
        digest = lock_digest(
            python_version=version,
            platform=platform,
            method=method,
            requirements=text,
            conda_packages=explicit,
            interpreter=path if method == METHOD_USER_MANAGED else "",
            as_of=self._as_of.day.isoformat() if self._as_of else None,
        )
        said = ([] if method == METHOD_CONDA else self._python_notes) + notes + self._index_notes
        if self._undated:
            named = ", ".join(sorted(self._undated))
            said.append(f"{named}: the package index gives no dates of them, so every release was looked at")
        if self._unreadable:
            named = ", ".join(sorted(self._unreadable))
            said.append(f"{named}: installers cannot read releases of that time any more, so newer ones were looked at")
        return Lock(
            digest=digest,
            python=path,
            python_version=version,
            platform=platform,
            method=method,
            requirements=text,
            conda_packages=explicit,
            conda_records=records or [],
            pip_options=self.plan.options,
            notes=[self.indexes.conceal(note) for note in said],
            as_of=self._as_of.day.isoformat() if self._as_of else None,
            as_of_reason=self._as_of.reason if self._as_of else "",
            undated=sorted(self._undated | self._unreadable),
        )

    def _shown_channels(self) -> list[str]:
        return [redact(channel) for channel in self.channels]


def user_managed_in_image(spec: EnvironmentSpec) -> Lock:
    """The lock of an environment whose interpreter is in its image."""
    path = spec.python.interpreter_path
    digest = lock_digest(
        python_version="",
        platform="image",
        method=METHOD_USER_MANAGED,
        requirements="",
        conda_packages=[],
        interpreter=f"{spec_digest(spec)} {path}",
    )
    note = f"userManagedDependencies: {path} of the image is used as it is"
    return Lock(
        digest=digest, python=path, python_version="", platform="image", method=METHOD_USER_MANAGED, notes=[note]
    )


def _pass_on(options: list[str]) -> list[str]:
    found: list[str] = []
    for line in options:
        name, _, value = line.partition(" ")
        if name == "--pre":
            found += ["--prerelease", "allow"]
        elif name in ("--no-binary", "--only-binary"):
            found += [item for one in value.split(",") for item in (name, one.strip())]
    return found


def _is_version(text: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
