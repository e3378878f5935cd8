"""Compiles a folder's Python files for where they will lie, the same bytes each time. Runs alone, on Python 3.6.

Arguments: folder, the path it will have, the modification time its files will have. What does not compile is left.
"""
# Copied beside other interpreters and run there: none of this package's conveniences.
# ruff: noqa: UP036, PTH118, PTH100, PTH123, RUF005
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False

import os
import py_compile
import struct
import subprocess
import sys

PARTS = 4  # fixed: what one process compiled before can change the bytes of the next file


def compile_part(folder, final, mtime, part):
    for number, path in enumerate(sorted(sources(folder))):
        if number % PARTS != part:
            continue
        options = {"dfile": final + path[len(folder) :], "doraise": True}
        if sys.version_info >= (3, 7):
            options["invalidation_mode"] = py_compile.PycInvalidationMode.UNCHECKED_HASH
        try:
            made = py_compile.compile(path, **options)
        except (py_compile.PyCompileError, OSError, ValueError, RecursionError, MemoryError):
            continue
        if sys.version_info < (3, 7):
            with open(made, "r+b") as file:
                file.seek(4)
                file.write(struct.pack("<L", mtime))


def sources(folder):
    for parent, folders, files in os.walk(folder):
        # Packages' own tests are half of some packages, and no service imports them.
        folders[:] = [name for name in folders if name not in ("__pycache__", "test", "tests")]
        for name in files:
            if name.endswith(".py"):
                yield os.path.join(parent, name)


def main():
    folder, final, mtime = sys.argv[1].rstrip("/"), sys.argv[2].rstrip("/"), int(sys.argv[3])
    if len(sys.argv) > 4:
        compile_part(folder, final, mtime, int(sys.argv[4]))
        return
    environment = dict(os.environ, PYTHONHASHSEED="0")
    command = [sys.executable, "-s", "-S", os.path.abspath(__file__), folder, final, str(mtime)]
    running = [subprocess.Popen(command + [str(part)], env=environment) for part in range(PARTS)]
    sys.exit(max(process.wait() for process in running))


if __name__ == "__main__":
    main()
