"""How the documentation is built: `make docs`."""

from typing import TYPE_CHECKING, Any

from classpulse import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Classpulse"
copyright = "the Classpulse authors, Apache-2.0"  # noqa: A001 - Sphinx's own name
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Classpulse {version}"
myst_heading_anchors = 3
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nitpicky = False

SCROLLS = "for (const code of document.querySelectorAll('pre')) code.tabIndex = 0;"
"""What is wider than a phone scrolls, for those who use the keyboard as well."""


def setup(app: "Sphinx") -> None:
    """Called by Sphinx."""
    app.add_js_file(None, body=f"addEventListener('DOMContentLoaded', () => {{ {SCROLLS} }});")
    app.connect("html-page-context", give_captions_a_level, priority=900)  # when the theme has put them in


def give_captions_a_level(_app: object, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """Sphinx calls the captions of its sidebar headings, and leaves out of which level (WCAG 4.1.2)."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')
