"""How the pages become a site: `sphinx-build -W docs OUT`. Notebooks are run while it is built."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

from simulator.version import __version__  # noqa: E402

project = "als-simulator"
author = "The als-simulator contributors"
copyright = f"{author}. Apache-2.0"  # noqa: A001 - Sphinx reads this name
version = release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]
exclude_patterns = ["_build", "scoreboard/*.svg"]
source_suffix = {".md": "myst-nb"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
suppress_warnings = ["config.cache"]

nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True

autodoc_typehints = "none"  # shapes and units stand in the docstrings
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = "als-simulator"
html_copy_source = False
html_show_sphinx = False
