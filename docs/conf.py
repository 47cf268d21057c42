"""How the documentation is built: `make docs`."""

from classpulse import __version__

project = "Classpulse"
copyright = "the Classpulse authors, Apache-2.0"  # noqa: A001 - Sphinx's own name
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Classpulse"
myst_heading_anchors = 3
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nitpicky = False
