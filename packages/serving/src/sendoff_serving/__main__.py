"""The command ``python -m sendoff_serving``: serves a script or a bundle in the foreground."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import __version__
from .errors import ServingError
from .options import Options, read

if TYPE_CHECKING:
    from .front.server import Server
    from .log import ServerLog

# The script cannot be loaded: the status that the existing server uses for it.
EXIT_NOT_LOADED = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until stopped; return the exit status of the command.

    Args:
        argv: arguments without the program's name; None for those of this process.

    Returns:
        0 after a stop; 1 for wrong arguments, files or addresses, told on standard error; 3 when the script
        cannot be loaded.
    """
    try:
        return serve(read(argv))
    except ServingError as error:
        print(f"error: {error.message}", file=sys.stderr)  # noqa: T201 - a command speaks to its user
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def serve(options: Options) -> int:
    """Serve what the options say until the server is stopped; return the exit status.

    Raises:
        ServingError: the address cannot be had.
    """
    import uvloop

    from .allocator import keep_freed_memory

    keep_freed_memory()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(options))


async def _serve(options: Options) -> int:
    from .configured_log import ConfiguredLog
    from .front.control import ControlApplication
    from .front.keeper import Keeper
    from .front.scoring.recording import Recording
    from .front.server import Server, bind
    from .front.workers.generation import Generation
    from .last_word import last_word
    from .log import FileSink, ServerLog, StreamSink

    _raise_descriptor_limit()
    ports = [options.port] + ([] if options.health_port in (None, options.port) else [options.health_port])
    listeners = [bind(options.host, port) for port in ports]
    log = (
        ConfiguredLog(options.logging_file)
        if options.logging_file is not None
        else ServerLog(FileSink(options.log_file) if options.log_file else StreamSink(sys.stdout), options.log_format)
    )
    server = Server(
        log,
        options.limits,
        compatible=options.compatible,
        version_header=options.version_header,
        log_level=options.log_level,
        logging_file=options.logging_file,
        auth_file=options.auth_file,
        certificate=options.certificate,
        telemetry=options.telemetry,
        telemetry_file=options.telemetry_file,
        recording=None if options.data_dir is None else Recording(options.data_dir, options.data_scope, log),
    )
    server.application.script_error_status = options.script_error_status
    settled = asyncio.Event()
    failure: dict[str, Any] = {}
    # Requests leave no cycles behind; what there is now stays, and is not looked at again and again.
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)

    def changed(generation: Generation) -> None:
        if generation.phase in ("ready", "failed"):
            failure.update(generation.error or {})
            settled.set()

    server.on_change = changed
    if options.keeper_file is not None:
        server.keeper = Keeper(options.keeper_file, log)
    supervised = options.control is not None
    _describe(log, options)
    loop = asyncio.get_running_loop()
    stops = 0

    def stop() -> None:
        nonlocal stops
        stops += 1
        settled.set()
        server.stop(options.drain_seconds if stops == 1 else 0.0, options.notice_seconds if stops == 1 else 0.0)
        if stops > 1:
            server.stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    status = 0
    try:
        server.start_ticking()
        if options.control is not None:
            await server.listen(*listeners)
            await server.listen_control(options.control, ControlApplication(server, options.python))
            _announce(server, log, options)
        server.load(options.bundle, options.python, options.revision)
        watching = loop.create_task(_watch(server, options)) if options.reload else None
        if not supervised:
            await settled.wait()
            if server.state == "failed" and not options.reload:
                status = EXIT_NOT_LOADED
                if options.termination_file is not None:
                    last_word(options.termination_file, failure)
                server.stop(0.0)
            elif not server.draining:
                await server.listen(*listeners)
                _announce(server, log, options)
        await server.stopped.wait()
        if watching is not None:
            watching.cancel()
    finally:
        for listener in listeners:
            listener.close()
        if options.control is not None:
            options.control.unlink(missing_ok=True)
        if status != EXIT_NOT_LOADED:
            log.info("Stopped")
        log.close()
    return status


async def _watch(server: Server, options: Options) -> None:
    """Reload when files of the script change."""
    from .front.reloading import watch

    bundle = options.bundle
    script = bundle.entry_script_path
    folders = {bundle.app_root, bundle.source_path or bundle.app_root, script.parent if script else bundle.app_root}

    def changed(files: list[str]) -> None:
        server.log.info(f"Reloading: {', '.join(files[:5])}{' and more' if len(files) > 5 else ''} changed")
        try:
            server.reload()
        except ServingError as error:
            server.log.info(f"Not reloaded: {error.message}")

    await watch(folders, changed)


def _announce(server: Server, log: ServerLog, options: Options) -> None:
    """Say on standard output where the service is; callers wait for this line."""
    address = f"[{server.host}]" if ":" in server.host else server.host
    scheme = "http" if server.certificate is None else "https"
    line = f"Listening on {scheme}://{address}:{server.port}"
    if options.log_file is None:
        log.announce(line)
    else:
        print(line, flush=True)  # noqa: T201 - the log is elsewhere, this is for whoever started the command


def _describe(log: ServerLog, options: Options) -> None:
    bundle, serving = options.bundle, options.bundle.serving
    lines = [
        f"sendoff-serving {__version__}",
        f"Entry Script: {bundle.entry_script_path or 'main'}",
        f"Application Root: {bundle.app_root}",
        f"Model Directory: {bundle.model_dir}",
        f"Python: {options.python}",
        f"Worker Count: {serving.workers}",
        f"Scoring timeout is set to {serving.scoring_timeout_ms}",
        f"Request bodies are limited to {serving.max_body_bytes} bytes, the queue to {serving.max_queue} requests",
    ]
    if bundle.model_dir is None:
        lines.append("AZUREML_MODEL_DIR is not set: name the model's folder with --model-dir if the script needs it")
    if options.compatible:
        lines += ["Initializing logger", "Starting up app insights client"]  # as programs that read the log expect
    for line in lines:
        log.info(line)
    for line in options.notes:
        log.warning(line)


def _raise_descriptor_limit() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard > 0 else soft, hard))
        except (OSError, ValueError):
            return  # the limit stays; connections beyond it wait in the listen queue


if __name__ == "__main__":
    sys.exit(main())
