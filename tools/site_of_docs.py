"""The site of docs/: ``site_of_docs.py FOLDER`` writes ``FOLDER/VERSION/`` and an ``index.html`` that leads there.

A page that warns, a link or an anchor that leads nowhere, is an error. Nothing is fetched, neither here nor by a
reader's browser.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"

_INDEX = """<!doctype html>
<meta charset="utf-8">
<title>Sendoff</title>
<meta http-equiv="refresh" content="0; url={version}/index.html">
<a href="{version}/index.html">Sendoff {version}</a>
"""


def build(folder: Path) -> Path:
    """Write the site of this version; versions beside it stay.

    Raises:
        subprocess.CalledProcessError: A page is wrong; Sphinx has said which, on stderr.
    """
    release = version("sendoff-serving")
    site = folder / release
    with tempfile.TemporaryDirectory() as kept:
        subprocess.run(
            [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", kept, DOCS, site],
            check=True,
        )
    (folder / "index.html").write_text(_INDEX.format(version=release), encoding="utf-8")
    return site


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1])) / 'index.html'}\n")
