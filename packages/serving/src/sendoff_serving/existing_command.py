"""A command that takes the existing server's own options, so that it can be swapped for ours.

    sendoff-inference-server --entry_script score.py --model_dir model --port 5001

It answers with that server's codes, bodies and log lines (settled.md, "Compatibility mode").
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence

from . import __version__
from .__main__ import serve
from .errors import ServingError
from .options import parser, read
from .telemetry_settings import is_insights_key

# Options of the existing server (spec/scoring-server.md sec. 1), and ours for them; None where the option is
# accepted and has no counterpart.
_OPTIONS: dict[str, str | None] = {
    "--entry_script": "--entry-script",
    "--model_dir": "--model-dir",
    "--port": "--port",
    "--worker_count": "--workers",
    "--access_control_allow_origins": "--cors-origins",
    "--health_port": None,
    "--appinsights_instrumentation_key": None,
    "--config_file": None,
}
_PORT, _HEALTH_PORT = "5001", "5000"
_INSIGHTS, _KEY = "AML_APP_INSIGHTS_ENABLED", "AML_APP_INSIGHTS_KEY"
# What the banner says, in its order.
_SETTINGS = {
    "Entry Script Name": "AZUREML_ENTRY_SCRIPT",
    "Model Directory": "AZUREML_MODEL_DIR",
    "Config File": "AZUREML_CONFIG_FILE",
    "Worker Count": "WORKER_COUNT",
    "Worker Timeout (seconds)": "WORKER_TIMEOUT",
    "Server Port": "SERVER_PORT",
    "Health Port": "HEALTH_PORT",
    "Application Insights Enabled": _INSIGHTS,
    "Application Insights Key": _KEY,
    "CORS for the specified origins": "AML_CORS_ORIGINS",
    "Create dedicated endpoint for health": "SEPERATE_HEALTH_ENDPOINT",
}


def translate(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return our options and the environment variables that stand for the existing server's options.

    Args:
        arguments: the command line without the program's name; ``--name value`` and ``--name=value``.
            Options that are not the existing server's are passed on, so ours can be added.
        environment: the environment variables.

    Raises:
        ServingError: neither a script nor a file that may name one is given.
    """
    ours: list[str] = ["--compatible"]
    given: dict[str, str] = {}
    left = list(arguments)
    while left:
        argument = left.pop(0)
        name, equals, value = argument.partition("=")
        if name in _OPTIONS:
            given[name] = value if equals else left.pop(0) if left else ""
        else:
            ours.append(argument)
    own = {argument.partition("=")[0] for argument in ours}
    for name, value in given.items():
        if (mapped := _OPTIONS[name]) is not None:
            ours += [mapped, value]
    named = {"--entry_script", "--config_file", "--entry-script", "--bundle", "--help", "-h"} & {*own, *given}
    if not named and not {"AZUREML_ENTRY_SCRIPT", "AZUREML_CONFIG_FILE"} & set(environment):
        raise ServingError(
            "bad_arguments",
            "Either provide an entry_script using --entry_script or provide a path to the configuration file "
            "using --config_file",
        )
    if "--host" not in own:
        ours += ["--host", "0.0.0.0"]  # where the existing server listens
    port = health_port = given.get("--port", _PORT)
    if environment.get("SEPERATE_HEALTH_ENDPOINT") == "true":
        health_port = given.get("--health_port", _HEALTH_PORT)
        ours += ["--health-port", health_port]
    return ours, _variables(given, environment, port, health_port)


def _variables(given: Mapping[str, str], environment: Mapping[str, str], port: str, health_port: str) -> dict[str, str]:
    """Return what the existing server sets in its environment, which the script sees."""
    found = {"SERVER_PORT": port, "HEALTH_PORT": health_port}
    if "--entry_script" in given:
        found["AZUREML_ENTRY_SCRIPT"] = os.path.realpath(given["--entry_script"])
    if "--config_file" in given:
        found["AZUREML_CONFIG_FILE"] = os.path.realpath(given["--config_file"])
    key, enabled = environment.get(_KEY, ""), environment.get(_INSIGHTS, "")
    if "--appinsights_instrumentation_key" in given:
        key, enabled = given["--appinsights_instrumentation_key"], "true"
        found[_KEY] = key
    found[_INSIGHTS] = "true" if enabled == "true" and is_insights_key(key) else "false"
    return found


def banner(given: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Return what the existing server prints before it starts: its settings and its routes.

    Args:
        given: settings that the command line has and the environment has not, by the names of the variables.
        environment: the environment variables, as ``translate`` has completed them.
    """
    known = {"WORKER_COUNT": "1", **environment, **given}
    lines = []
    if "AZUREML_MODEL_DIR" not in known:
        lines.append("The environment variable 'AZUREML_MODEL_DIR' has not been set.")
        lines.append("Use the --model_dir command line argument to set it.")
    if _KEY in known:
        good = is_insights_key(known[_KEY])
        lines.append(f"{'Valid' if good else 'Invalid'} Application Insights instrumentation key provided.")
        lines += [] if good else ["Application Insights has been disabled."]
        known[_KEY] = "AppInsights key provided"
    if "AML_CORS_ORIGINS" in known:
        known["AML_CORS_ORIGINS"] = f"Enabling CORS for {known['AML_CORS_ORIGINS']}"
    lines += ["", f"Sendoff in place of the Azure ML Inferencing HTTP server, sendoff-serving {__version__}", ""]
    lines += ["", "Server Settings", "---------------"]
    lines += [f"{words}: {known.get(name)}" for words, name in _SETTINGS.items()]
    lines += ["", "", "Server Routes", "---------------"]
    lines.append(f"Liveness Probe: GET   127.0.0.1:{known['HEALTH_PORT']}/")
    lines += [f"Score:          POST  127.0.0.1:{known['SERVER_PORT']}/score", ""]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve with the existing server's options; return the exit status as ``sendoff_serving.__main__.main`` does.

    Args:
        argv: arguments without the program's name; None for those of this process.
    """
    try:
        ours, variables = translate(sys.argv[1:] if argv is None else argv, os.environ)
        os.environ.update(variables)
        options = read(ours)
        serving = options.bundle.serving
        told = {"WORKER_COUNT": str(serving.workers)}
        if options.bundle.model_dir is not None:
            told["AZUREML_MODEL_DIR"] = options.bundle.model_dir
        if "AML_CORS_ORIGINS" not in os.environ and serving.cors_origins:
            told["AML_CORS_ORIGINS"] = ", ".join(serving.cors_origins)
        print(banner(told, os.environ), flush=True)  # noqa: T201 - as the existing server
        return serve(options)
    except ServingError as error:
        return _told(error)
    except KeyboardInterrupt:
        return 130


def _told(error: ServingError) -> int:
    """Say on standard error what keeps the server from starting; return the exit status."""
    text = error.message
    if error.code == "bad_arguments":
        names = "\n".join(f"  {name}" for name in _OPTIONS)
        text = f"error: {text}\n\noptions of the existing server:\n{names}\n\n{parser().format_help()}"
    elif error.exit_code != 1:
        frame = "=" * 15
        stamp = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())},000 C [{os.getpid()}] azmlinfsrv - "
        text = f"{stamp}\n{frame}Configuration Error{frame}\n{text}\n{'=' * 49}"
    else:
        text = f"error: {text}"
    print(text + (f"\nhint: {error.hint}" if error.hint else ""), file=sys.stderr)  # noqa: T201
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
