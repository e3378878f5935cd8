"""How Sphinx makes the site of these pages (``make docs-site``). Everything that a page loads is beside it."""

from importlib.metadata import version as installed

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "Sendoff"
copyright = "the Sendoff authors"
version = release = installed("sendoff-serving")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["decisions/[0-9]*.draft.md"]
nitpicky = False
suppress_warnings = ["misc.highlighting_failure"]  # a block of HTTP or of JSON with a line left out is still shown

myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 4
myst_fence_as_directive: list[str] = []

html_theme = "furo"
html_title = f"Sendoff {version}"
html_show_sphinx = False
html_copy_source = False
html_static_path: list[str] = []
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

default_role = "py:obj"  # `Name` in a docstring
autodoc_member_order = "groupwise"
autodoc_typehints = "none"  # the signature has them
autodoc_class_signature = "separated"
python_use_unqualified_type_names = True


def setup(app: Sphinx) -> None:
    """Lines of a terminal are shown as they are: a lexer for shells would colour what was printed, too."""
    app.add_lexer("console", TextLexer)
