"""What is told to an OpenTelemetry collector, and where that is: flags, variables, the bundle, a target's file.

The variables are those of the OpenTelemetry specification; what is not listed here is read by the SDK itself, in the
process that sends (``front/telemetry/sender.py``).
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from .errors import ServingError

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
LOGS_ENDPOINT = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
_ENDPOINTS = (ENDPOINT, TRACES_ENDPOINT, LOGS_ENDPOINT)
INSTALL = "pip install 'sendoff-serving[otel]'"
"""The line that brings the extra, for people who run the server alone."""
FILE = "telemetry.json"
SAMPLERS = ("always_on", "always_off", "traceidratio")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class TelemetrySettings:
    """One way to tell a collector.

    Attributes:
        environment: ``OTEL_*`` variables that the sender gets beside the front's own.
        attributes: of the resource: facts about the deployment.
        traces: send spans. logs: send output, records and exceptions of the script.
        sampler: name of the root sampler; parent_based: a caller that samples, or does not, decides before it.
        ratio: share of the requests for the sampler "traceidratio".
        responses: put the text of answers on spans.
        most_spans, most_logs: items that may wait for the collector; more are dropped and counted.
        batch: items that are sent together at most.
        delay: seconds that items wait for others.
        flush_seconds: time to deliver what is left when the server stops.
    """

    environment: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    traces: bool = True
    logs: bool = True
    sampler: str = "always_on"
    parent_based: bool = True
    ratio: float = 1.0
    responses: bool = False
    most_spans: int = 2048
    most_logs: int = 2048
    batch: int = 512
    delay: float = 1.0
    flush_seconds: float = 2.5


def is_insights_key(key: str) -> bool:
    """Whether the existing server takes a text for an instrumentation key: it is a UUID."""
    return _UUID.match(key) is not None


def available() -> bool:
    """Whether the packages of the extra ``otel`` are installed beside the server."""
    try:
        return (
            importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
            and importlib.util.find_spec("opentelemetry.sdk") is not None
        )
    except ModuleNotFoundError:
        return False


def check_url(url: str, where: str) -> str:
    """The URL itself when a collector can be there.

    Raises:
        ServingError: It is no http or https address.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ServingError(
            "bad_arguments",
            f"{where} should be the address of an OTLP/HTTP collector, not {url!r}",
            hint="for example http://127.0.0.1:4318",
        )
    return url


def read(
    environment: Mapping[str, str], *, flag: str | None = None, bundle: str | None = None, compatible: bool = False
) -> tuple[TelemetrySettings | None, list[str]]:
    """Settings of a server that is started by hand; None when nothing asks for telemetry.

    Args:
        environment: the environment variables.
        flag: ``--otel-endpoint``, which stands over the variables. bundle: the bundle's, which stands below them.
        compatible: answers are put on spans as the existing server does.

    Returns:
        The settings, and lines for the log about what was asked for and cannot be had.

    Raises:
        ServingError: an address is none; the flag was given and the extra is not installed.
    """
    own = {name: value for name, value in environment.items() if name.startswith("OTEL_") and value}
    notes: list[str] = []
    given: dict[str, str] = {}
    if flag is not None:
        given[ENDPOINT] = check_url(flag, "--otel-endpoint")
    elif bundle is not None and not own.get(ENDPOINT):
        given[ENDPOINT] = check_url(bundle, "serving.otel_endpoint of the bundle")
    asked = _asked_by_insights(environment, notes)
    known = {**own, **given}
    for name in _ENDPOINTS:
        if known.get(name):
            check_url(known[name], name)
    if flag is None and known.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None, notes
    if not any(known.get(name) for name in _ENDPOINTS):
        if asked:
            notes.append(
                f"AML_APP_INSIGHTS_ENABLED is true and no collector is named: set {ENDPOINT}, or --otel-endpoint"
            )
        return None, notes
    if not available():
        if flag is not None:
            raise ServingError(
                "extra_missing", "--otel-endpoint needs packages that are not installed", hint=f"type: {INSTALL}"
            )
        notes.append(f"{ENDPOINT} is set and nothing is sent: the packages for it are not installed; type: {INSTALL}")
        return None, notes
    settings, more = from_variables(known)
    logged = environment.get("APP_INSIGHTS_LOG_RESPONSE_ENABLED", "true" if compatible else "false")
    responses = logged.strip().lower() == "true"
    workspace = environment.get("WORKSPACE_NAME", "")
    facts = {"service.namespace": workspace, "sendoff.workspace": workspace} if workspace else {}
    return replace(settings, environment=given, responses=responses, attributes=facts), notes + more


def _asked_by_insights(environment: Mapping[str, str], notes: list[str]) -> bool:
    """The existing server's variables (spec/scoring-server.md sec. 2): on only with a key that is a UUID."""
    asked = environment.get("AML_APP_INSIGHTS_ENABLED", "").strip().lower() == "true"
    if asked and not is_insights_key(environment.get("AML_APP_INSIGHTS_KEY", "")):
        notes.append("AML_APP_INSIGHTS_ENABLED is taken as false: AML_APP_INSIGHTS_KEY is not a UUID")
        return False
    return asked


def from_variables(known: Mapping[str, str]) -> tuple[TelemetrySettings, list[str]]:
    """What the variables of the OpenTelemetry specification say, and notes on those that cannot be followed."""
    notes: list[str] = []
    general = bool(known.get(ENDPOINT))
    signals = {}
    for signal, endpoint in (("TRACES", TRACES_ENDPOINT), ("LOGS", LOGS_ENDPOINT)):
        exporter = known.get(f"OTEL_{signal}_EXPORTER", "otlp").strip().lower()
        if exporter not in ("otlp", "none"):
            notes.append(f"OTEL_{signal}_EXPORTER is {exporter!r}; there are otlp and none, and otlp is taken")
        signals[signal] = exporter != "none" and (general or bool(known.get(endpoint)))
        for name in (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
            protocol = known.get(name, "http/protobuf")
            if protocol != "http/protobuf":
                note = f"{name} is {protocol!r}; the server speaks http/protobuf alone, as a rule at port 4318"
                notes += [note] if note not in notes else []
    sampler, parent_based, ratio = _sampler(known, notes)
    delays = [_number(known, name, 1000, notes) for name in ("OTEL_BSP_SCHEDULE_DELAY", "OTEL_BLRP_SCHEDULE_DELAY")]
    return TelemetrySettings(
        traces=signals["TRACES"],
        logs=signals["LOGS"],
        sampler=sampler,
        parent_based=parent_based,
        ratio=ratio,
        most_spans=_number(known, "OTEL_BSP_MAX_QUEUE_SIZE", 2048, notes),
        most_logs=_number(known, "OTEL_BLRP_MAX_QUEUE_SIZE", 2048, notes),
        batch=_number(known, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, notes),
        delay=min(delays) / 1000,
        flush_seconds=_number(known, "OTEL_BSP_EXPORT_TIMEOUT", 2500, notes) / 1000,
    ), notes


def _sampler(known: Mapping[str, str], notes: list[str]) -> tuple[str, bool, float]:
    text = known.get("OTEL_TRACES_SAMPLER", "parentbased_always_on").strip().lower()
    name, parent_based = text.removeprefix("parentbased_"), text.startswith("parentbased_")
    if name not in SAMPLERS:
        notes.append(f"OTEL_TRACES_SAMPLER {text!r} is not known; parentbased_always_on is taken")
        return "always_on", True, 1.0
    ratio = 1.0
    argument = known.get("OTEL_TRACES_SAMPLER_ARG")
    if name == "traceidratio" and argument is not None:
        try:
            ratio = float(argument)
        except ValueError:
            ratio = -1.0
        if not 0 <= ratio <= 1:
            notes.append(f"OTEL_TRACES_SAMPLER_ARG should be between 0 and 1, not {argument!r}; 1 is taken")
            ratio = 1.0
    return name, parent_based, ratio


def _number(known: Mapping[str, str], name: str, default: int, notes: list[str]) -> int:
    text = known.get(name)
    if text is None:
        return default
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        notes.append(f"{name} should be a whole number of 1 or more, not {text!r}; {default} is taken")
        return default
    return number


@dataclass(frozen=True, kw_only=True, slots=True)
class TelemetryFile:
    """What a target says: settings, and the revisions for which they hold.

    Attributes:
        settings: where to send; None while no collector is named.
        revisions: whether it is on, by revision. other: whether it is on for revisions that are not named.
    """

    settings: TelemetrySettings | None
    revisions: dict[str, bool]
    other: bool

    def on(self, revision: str | None) -> bool:
        """Whether a revision is to be told of."""
        return self.revisions.get(revision or "", self.other)


def load(path: Path) -> TelemetryFile:
    """Read a target's ``telemetry.json`` (docs/telemetry.md).

    Raises:
        ServingError: it is not what it should be.
    """
    try:
        content = json.loads(path.read_bytes())
        variables = {str(name): str(value) for name, value in content["environment"].items()}
        attributes = {str(name): str(value) for name, value in content["attributes"].items()}
        revisions = {str(number): on is True for number, on in content["revisions"].items()}
        other = content["enabled"] is True
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ServingError("telemetry_file_invalid", f"{path} cannot be used: {error!r}") from None
    if not any(variables.get(name) for name in _ENDPOINTS):
        return TelemetryFile(settings=None, revisions=revisions, other=other)
    settings, _ = from_variables(variables)
    return TelemetryFile(
        settings=replace(settings, environment=variables, attributes=attributes), revisions=revisions, other=other
    )
