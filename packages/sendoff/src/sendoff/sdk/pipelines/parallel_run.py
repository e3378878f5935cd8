"""The configuration of a batch step, with SDK v1's checks (spec/surface.md sec. 2.16, spec/behaviour.md sec. 19.2)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..environments.environment import Environment
from ..exceptions import UserErrorException, as_sdk_errors

if TYPE_CHECKING:
    from ..workspace import Workspace

_SIZE = re.compile(r"\d+([kKmMgG][bB])*\Z")
_ACTIONS = ("append_row", "summary_only")
_NEEDED = ("environment", "entry_script", "error_threshold", "output_action", "compute_target", "node_count")
_WRITTEN = "ParallelRunConfig.save_to_yaml writes such a file."
_LEVELS = ("WARNING", "INFO", "DEBUG")


class ParallelRunConfig:
    """How a batch step works through its input.

    Args:
        environment: What the script needs.
        entry_script: Script with ``init()`` and ``run(mini_batch)``.
        error_threshold: Failures to bear; -1 bears all.
        output_action: ``append_row`` or ``summary_only``.
        compute_target: Where.
        node_count: On how many machines.
        process_count_per_node: With how many processes on each.
        mini_batch_size: Files, or bytes such as ``1MB`` for tables.
        source_directory: The script's folder.
        description: Free text.
        logging_level: WARNING, INFO or DEBUG.
        run_invocation_timeout: Seconds for one mini batch.
        run_max_try: Tries for one mini batch.
        append_row_file_name: Name of the output file.
        allowed_failed_count: Mini batches that may fail.
        allowed_failed_percent: Share of mini batches that may fail.
        partition_keys: Partitions in place of mini batches.
        environment_variables: Of the script.

    Raises:
        ValueError: A value is out of its range.
    """

    def __init__(
        self,
        environment: Environment,
        entry_script: str,
        error_threshold: int,
        output_action: str,
        compute_target: Any,
        node_count: int,
        process_count_per_node: int | None = None,
        mini_batch_size: str | int | None = None,
        source_directory: str | None = None,
        description: str | None = None,
        logging_level: str = "INFO",
        run_invocation_timeout: int = 60,
        run_max_try: int = 3,
        append_row_file_name: str | None = None,
        allowed_failed_count: int | None = None,
        allowed_failed_percent: float | None = None,
        partition_keys: list[str] | None = None,
        environment_variables: dict[str, str] | None = None,
        **_: Any,
    ) -> None:
        self.environment = environment
        self.entry_script = entry_script
        self.error_threshold = error_threshold
        self.output_action = output_action
        self.compute_target = compute_target
        self.node_count = node_count
        self.process_count_per_node = process_count_per_node
        self.mini_batch_size = mini_batch_size
        self.source_directory = source_directory
        self.description = description
        self.logging_level = logging_level
        self.run_invocation_timeout = run_invocation_timeout
        self.run_max_try = run_max_try
        self.append_row_file_name = append_row_file_name
        self.allowed_failed_count = allowed_failed_count
        self.allowed_failed_percent = allowed_failed_percent
        self.partition_keys = partition_keys
        self.environment_variables = dict(environment_variables or {})
        problems = self._problems()
        if problems:
            raise ValueError("; ".join(problems))

    def _problems(self) -> list[str]:
        found = []
        given: Any = self.environment
        if not isinstance(given, Environment):
            found.append(f"environment has to be an Environment, not {type(given).__name__}")
        if not isinstance(self.error_threshold, int) or self.error_threshold < -1:
            found.append(f"error_threshold has to be a whole number of at least -1, not {self.error_threshold!r}")
        if str(self.output_action).lower() not in _ACTIONS:
            found.append(f"output_action has to be one of {', '.join(_ACTIONS)}, not {self.output_action!r}")
        if str(self.logging_level).upper() not in _LEVELS:
            found.append(f"logging_level has to be one of {', '.join(_LEVELS)}, not {self.logging_level!r}")
        size = self.mini_batch_size
        if size is not None and not (isinstance(size, int) and size > 0) and not _SIZE.match(str(size)):
            found.append(f"mini_batch_size has to be a count, or bytes such as '1MB', not {size!r}")
        for name in ("run_invocation_timeout", "run_max_try", "process_count_per_node", "node_count"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value <= 0):
                found.append(f"{name} has to be a whole number above 0, not {value!r}")
        file = self.append_row_file_name
        if file is not None and (not file or "/" in file or "\\" in file):
            found.append(f"append_row_file_name has to be the name of a file, not {file!r}")
        if self.partition_keys and self.mini_batch_size:
            found.append("partition_keys and mini_batch_size exclude each other")
        return found

    @staticmethod
    def load_yaml(workspace: Workspace, path: str) -> ParallelRunConfig:
        """Read what `save_to_yaml` wrote.

        Raises:
            UserErrorException: The file is missing, is no such mapping or lacks a key, or the environment is not
                registered.
            ValueError: A value is out of its range.
        """
        from ...errors import InvalidInput
        from ...spec.parse import not_a_mapping, read_file

        with as_sdk_errors(UserErrorException):
            values = read_file(path, "configuration file")
            if not isinstance(values, dict):
                raise not_a_mapping(values, where=path, expected="a mapping with 'environment' and 'entry_script'")
            lacking = [name for name in _NEEDED if name not in values]
            if lacking:
                raise InvalidInput(f"{path} lacks {', '.join(lacking)}", hint=_WRITTEN, where=path)
            named = values.pop("environment")
            if not isinstance(named, dict) or "name" not in named:
                raise InvalidInput(
                    f"{path}: environment has to be a mapping with 'name', and 'version' where one is meant",
                    hint=_WRITTEN,
                    where=path,
                )
        environment = Environment.get(workspace, str(named["name"]), named.get("version"))
        return ParallelRunConfig(environment, **values)

    def save_to_yaml(self, path: str) -> None:
        """Write it to a file; the environment by its name and version."""
        import yaml

        values = {
            name: getattr(value, "name", value)
            for name, value in vars(self).items()
            if value not in (None, {}) and name != "environment"
        }
        values["environment"] = {"name": self.environment.name, "version": self.environment.version}
        Path(path).write_text(yaml.safe_dump(values, sort_keys=True), encoding="utf-8")
