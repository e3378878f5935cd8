"""Ends what a Dockerfile of ours makes: the same files as an assembled image has. Runs alone, on Python 3.6 or newer.

Arguments: the environment's folder, the path of its Python.
"""
# Runs in a build stage of somebody's image: none of this package's conveniences.
# ruff: noqa: PTH108, PTH110, PTH118, PTH120, PTH123, PTH208, PTH211, UP031
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False

import os
import re
import sys


def main():
    folder, python = sys.argv[1], os.path.realpath(sys.argv[2])
    for name in (".lock", ".gitignore", "CACHEDIR.TAG"):
        if os.path.exists(os.path.join(folder, name)):
            os.unlink(os.path.join(folder, name))
    scripts = os.path.join(folder, "bin")
    for name in os.listdir(scripts):
        if re.match(r"(activate.*|deactivate.*|pydoc\.bat|python[\d.]*)\Z", name):
            os.unlink(os.path.join(scripts, name))
    os.symlink(python, os.path.join(scripts, "python"))
    os.symlink("python", os.path.join(scripts, "python3"))
    os.symlink("python", os.path.join(scripts, "python%d.%d" % sys.version_info[:2]))
    packages = os.path.join(folder, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
    for name in os.listdir(packages):
        if name.endswith(".dist-info"):
            finish_package(os.path.join(packages, name))
    with open(os.path.join(folder, "pyvenv.cfg"), "w") as file:
        version = "%d.%d.%d" % sys.version_info[:3]
        file.write("home = %s\ninclude-system-site-packages = false\n" % os.path.dirname(python))
        file.write("version = %s\n" % version)


def finish_package(folder):
    for name in ("uv_cache.json", "direct_url.json"):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            os.unlink(path)
            record = os.path.join(folder, "RECORD")
            with open(record) as file:
                kept = [line for line in file if "/%s," % name not in line]
            with open(record, "w") as file:
                file.writelines(kept)


if __name__ == "__main__":
    main()
