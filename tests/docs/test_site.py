"""The site of docs/ is made without a warning, and nothing that a page loads comes from elsewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import site_of_docs

LOADED = re.compile(r"""(?:<(?:script|img|source|iframe)[^>]*\ssrc|<link[^>]*\shref)=["']([^"']+)["']""")


@pytest.mark.slow
def test_the_site_is_whole_and_stands_alone(tmp_path: Path) -> None:
    site = site_of_docs.build(tmp_path)
    assert f"url={site.name}/index.html" in (tmp_path / "index.html").read_text()
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        for address in LOADED.findall(page.read_text(encoding="utf-8")):
            assert "//" not in address, f"{page.name} loads {address}"
            if not address.startswith(("data:", "#")):
                assert (page.parent / address.split("?")[0].split("#")[0]).exists(), f"{page.name}: {address}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet
    found = (site / "searchindex.js").read_text(encoding="utf-8")
    for words in ("troubleshooting", "rollback", "wait_for_deployment"):
        assert words in found
    assert "Start a deployment and return its service at once" in (site / "sdk-reference.html").read_text(
        encoding="utf-8"
    )
