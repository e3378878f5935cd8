"""The pictures of the tutorial, made from what really happens: ``make pictures`` writes ``docs/pictures/``.

A terminal's session runs in a pseudo-terminal and is drawn as SVG with no font or address in it; the page of the
service is taken with Chromium, where it is installed; the chart is a profile's.
"""

from __future__ import annotations

import errno
import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
COLUMNS, LINES = 108, 60
DATA = '{"data": [[0.03, 0.05, 0.06, 0.02, -0.04, -0.03, -0.04, 0.0, 0.01, -0.01]]}'
TITLED = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


class Session:
    """A folder, a home, and what a terminal shows of the commands that are typed there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            **os.environ,
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TERM": "xterm-256color",
            "COLUMNS": str(COLUMNS),
            "LINES": str(LINES),
        }
        self.environ.pop("SENDOFF_HOME", None)
        self.environ["SENDOFF_ACI_TARGET"] = "process"  # what a machine without an engine would do

    def quiet(self, command: str) -> str:
        """Run a command that is in no picture; its output."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environ, text=True, capture_output=True, check=True
        )
        return done.stdout.strip()

    def draw(self, name: str, *commands: str) -> None:
        """Type the commands and write ``NAME.svg``."""
        screen = pyte.Screen(COLUMNS, LINES)
        stream = pyte.ByteStream(screen)
        for command in commands:
            stream.feed(f"$ {command}\r\n".encode())
            self._typed(command, stream)
        console = Console(record=True, width=COLUMNS, file=io.StringIO())
        for line in _lines(screen):
            console.print(line, no_wrap=True, overflow="crop")
        svg = console.export_svg(title="", unique_id=name)
        svg = re.sub(r"@font-face \{.*?\}\n?", "", svg, flags=re.DOTALL).replace("Fira Code, ", "")
        (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")

    def _typed(self, command: str, stream: pyte.ByteStream) -> None:
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.execvpe("bash", ["bash", "-c", f"stty cols {COLUMNS} rows {LINES}; {command}"], self.environ)
        output = b""
        while True:
            try:
                data = os.read(terminal, 65536)
            except OSError as error:  # the other side is closed
                if error.errno != errno.EIO:
                    raise
                break
            if not data:
                break
            output += data
        os.waitpid(child, 0)
        os.close(terminal)
        stream.feed(output.replace(str(self.folder).encode(), b"/home/ada"))


def _lines(screen: pyte.Screen) -> list[Text]:
    """What stands on the screen, with its colours, without the empty rest."""
    lines = []
    for row in range(LINES):
        line = Text()
        for column in range(COLUMNS):
            cell = screen.buffer[row][column]
            line.append(cell.data, Style(color=_colour(cell.fg), bold=cell.bold or None))
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    if len(name) == 6 and set(name) <= set("0123456789abcdef"):
        return f"#{name}"
    name = name.replace("brown", "yellow")
    return f"bright_{name[6:]}" if name.startswith("bright") else name


def main() -> None:
    """Make them all."""
    PICTURES.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="sendoff-"))
    session = Session(folder)
    try:
        scripts: dict[str, list[str]] = {}
        for title, body in TITLED.findall((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")):
            scripts.setdefault(title, []).append(body)
            if len(scripts[title]) == 1:
                (folder / title).write_text(body, encoding="utf-8")
        session.quiet("python train.py && sendoff model register -n ridge -p ridge.pkl")
        session.draw(
            "deploy",
            "sendoff model deploy -n diabetes -m ridge:1 --es score.py --cf requirements.txt",
            f"sendoff service run -n diabetes -d '{DATA}'",
        )
        (folder / "score.py").write_text(scripts["score.py"][1], encoding="utf-8")
        session.draw("error", "sendoff service update -n diabetes --es score.py")
        _page(session)
        _chart(session, scripts["score.py"][0])
    finally:
        session.quiet("sendoff service delete -n diabetes || true")
        shutil.rmtree(folder, ignore_errors=True)


def _page(session: Session) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.stderr.write("service-page.png is left as it is: no Chromium on this machine\n")
        return
    address = session.quiet("sendoff service show -n diabetes -o tsv --query scoringUri").replace("/score", "/docs")
    look = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1000,820", "--virtual-time-budget=4000"]
    picture = f"--screenshot={PICTURES / 'service-page.png'}"
    subprocess.run([browser, *look, picture, address], check=True, capture_output=True, timeout=120)


def _chart(session: Session, script: str) -> None:
    (session.folder / "score.py").write_text(script, encoding="utf-8")
    session.quiet(
        f"sendoff model profile -n sizing -m ridge:1 --es score.py --cf requirements.txt -d '{DATA}' && "
        f"sendoff profile show -n sizing -o none --chart '{PICTURES / 'profile.png'}'"
    )


if __name__ == "__main__":
    main()
