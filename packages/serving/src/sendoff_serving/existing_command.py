"""A command that takes the existing server's own options, so that it can be swapped for ours.

    sendoff-inference-server --entry_script score.py --model_dir model --port 5001

It answers with that server's codes, bodies and log lines (settled.md, "Compatibility mode").
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .__main__ import main as serve

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
}


def translate(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return our options and the environment variables that stand for the existing server's options.

    Args:
        arguments: the command line without the program's name; ``--name value`` and ``--name=value``.
            Options that are not the existing server's are passed on, so ours can be added.
    """
    ours: list[str] = ["--compatible"]
    variables: dict[str, str] = {}
    left = list(arguments)
    while left:
        argument = left.pop(0)
        name, equals, value = argument.partition("=")
        if name == "--config_file" or name in _OPTIONS:
            if not equals:
                value = left.pop(0) if left else ""
            if name == "--config_file":
                variables["AZUREML_CONFIG_FILE"] = value
            elif name == "--appinsights_instrumentation_key":
                variables.update(AML_APP_INSIGHTS_ENABLED="true", AML_APP_INSIGHTS_KEY=value)
            elif (mapped := _OPTIONS[name]) is not None:
                ours += [mapped, value]
        else:
            ours.append(argument)
    if not any(argument.partition("=")[0] == "--host" for argument in ours):
        ours += ["--host", "0.0.0.0"]  # where the existing server listens
    return ours, variables


def main(argv: Sequence[str] | None = None) -> int:
    """Serve with the existing server's options; return the exit status as ``sendoff_serving.__main__.main`` does.

    Args:
        argv: arguments without the program's name; None for those of this process.
    """
    ours, variables = translate(sys.argv[1:] if argv is None else argv)
    os.environ.update(variables)
    return serve(ours)


if __name__ == "__main__":
    sys.exit(main())
