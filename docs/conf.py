"""How Sphinx builds the manual: make docs."""

import os
import re
import sys
from importlib.metadata import version as installed
from pathlib import Path

from sphinx.errors import ExtensionError

project = "Tallgrass"
author = "Tallgrass contributors"
copyright = "Tallgrass contributors, MIT licence"
version = release = installed("tallgrass")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx-mathjax-offline",
]
html_theme = "furo"
html_title = "Tallgrass"
html_show_sourcelink = False
exclude_patterns = ["_build", "private-apis.md"]
suppress_warnings = ["misc.highlighting_failure", "mystnb.unknown_mime_type"]

# Readers without a network, or behind a strict one, see all of it: nothing is fetched from outside.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3
nitpicky = False

# Pages with code cells are carried out when the manual is built, in folders of their own, so that
# no number in them is typed by hand.
nb_execution_mode = os.environ.get("TALLGRASS_MANUAL", "force")
nb_execution_timeout = 1800
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_show_tb = True
# Commands on the pages are those of the Python that builds them.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ |= {"PYTHONWARNINGS": "ignore", "NO_COLOR": "1", "TERM": "dumb"}
nb_merge_streams = True

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections have the types
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
copybutton_exclude = ".linenos, .gp, .go"

# Pages link to files of the repository, which a reader of the site does not have: names are shown.
_OUTSIDE = re.compile(r"\[([^\]]+)\]\((\.\./[^)]+\.md)\)")


def _unlinked(app, docname, source):
    def text(match):
        if not (Path(app.srcdir, docname).parent / match[2]).is_file():
            raise ExtensionError(f"{docname}: no such file: {match[2]}")
        return match[1]

    source[0] = _OUTSIDE.sub(text, source[0])


def setup(app):
    """Called by Sphinx."""
    app.connect("source-read", _unlinked)
