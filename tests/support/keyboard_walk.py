"""A page gone through with the Tab key alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST = 200
"""No page has more stops."""

NAMES = """
  window.stop_name ??= (node) => node.id || node.value && node.name && `${node.name}=${node.value}`
    || node.getAttribute("aria-label") || node.textContent.trim().slice(0, 30) || node.outerHTML.slice(0, 60);
"""

STOPS = (
    """() => {"""
    + NAMES
    + """
  const holder = document.querySelector("dialog[open]") ?? document;
  const seen = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest("[inert]");
  const stops = "a[href], button, input, select, textarea, summary, video[controls], [tabindex]";
  const found = new Set();
  for (const node of holder.querySelectorAll(stops)) {
    if (!seen(node) || node.disabled || node.tabIndex < 0) continue;
    // Of radio buttons the chosen one is the stop, or any if none is chosen: arrows lead to the others.
    if (node.type === "radio") {
      const all = [...holder.querySelectorAll(`input[type=radio][name="${node.name}"]`)];
      const group = all.filter((one) => !one.disabled && seen(one));
      found.add(stop_name(group.find((one) => one.checked) ?? group[0]));
    } else found.add(stop_name(node));
  }
  return [...found];
}"""
)
"""What the Tab key is to reach: in the open dialog if there is one, else on the page."""

HERE = (
    """() => {"""
    + NAMES
    + """
  const node = document.activeElement;
  if (!node || node === document.body || node === document.documentElement) return null;
  const marked = [node, node.nextElementSibling, node.closest("label"), node.closest(".choice")].some((one) => {
    if (!one) return false;
    const style = getComputedStyle(one);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  });
  const area = (node.closest("label") ?? node).getBoundingClientRect();
  const shares = [0.05, 0.3, 0.5, 0.7, 0.95];
  const shown = shares.some((across) => shares.some((down) => {
    const top = document.elementFromPoint(area.x + area.width * across, area.y + area.height * down);
    return top && (node.contains(top) || top.closest("label")?.contains(node));
  }));
  window.stops ??= [];
  const again = stops.includes(node);
  if (!again) stops.push(node);
  return { name: stop_name(node), again, marked, shown, dialog: Boolean(node.closest("dialog[open]")) };
}"""
)
"""Where the focus is, whether an outline marks it, and whether anything lies over it (WCAG 2.4.7, 2.4.11)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the Tab key has stopped.

    Attributes:
        name: what is there.
        marked: whether an outline shows it.
        shown: whether it is in the window with nothing over it.
        dialog: whether it is in an open dialog.
    """

    name: str
    marked: bool
    shown: bool
    dialog: bool


def walk(page: Page, key: str = "Tab") -> list[Stop]:
    """Press a key until the focus is where it began, or has left the page; the stops in order."""
    page.evaluate("window.stops = []")
    stops: list[Stop] = []
    for _ in range(MOST):
        page.keyboard.press(key)
        here = page.evaluate(HERE)
        if here is None:  # outside the page, from where the next key leads in again
            continue
        if here.pop("again"):
            break
        stops.append(Stop(**here))
    return stops


def to_reach(page: Page) -> set[str]:
    """What can be pressed, chosen or filled in now."""
    return set(page.evaluate(STOPS))
