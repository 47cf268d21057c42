"""How Chromium is started for tests, and what every page is looked at for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
"""With a camera, which may be used unasked and shows no face, unless `--use-file-for-fake-video-capture` names one."""


@contextmanager
def chromium(program: str, *more: str) -> Iterator[Browser]:
    """A browser of one's own, started with these arguments beside `ARGUMENTS`."""
    expect.set_options(
        timeout=60_000
    )  # what does not come at all has failed, and on a busy machine little comes in 5 s
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *more])
        yield browser
        browser.close()


OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
"""Whether a page is wider than its window."""

SETTINGS = """axe.configure({ rules: [
  { id: "aria-dialog-name", selector: "dialog, [role=dialog], [role=alertdialog]" },
  { id: "target-size", enabled: true },
  { id: "duplicate-id", enabled: true },
] });"""
"""Rules that axe-core leaves out: it looks at no name of an HTML dialog, and at neither WCAG 2.2's least size of what
is pressed (2.5.8) nor at ids that are there twice."""

RUN = """async () => {
  // What fades in or out has neither colour yet; axe would judge the one between.
  await Promise.allSettled(document.getAnimations().map((one) => one.finished));
  return (await axe.run({ resultTypes: ["violations"] })).violations;
}"""

SERIOUS = frozenset({"serious", "critical"})
"""What axe-core itself calls so; the rest is moderate or minor."""


def look(page: Page, where: str = "") -> None:
    """Fail if a page is wider than its window, or axe-core finds anything, however small.

    Args:
        page: as it is now.
        where: what it shows, for the message.
    """
    assert page.evaluate(OVERFLOWS) is False, f"{where}: wider than its window"
    found = findings(page)
    assert found == [], "\n".join([where, *found])


def findings(page: Page, *, impacts: frozenset[str] = SERIOUS | {"moderate", "minor"}) -> list[str]:
    """What axe-core finds wrong with a page, as bad as one of these: one line for each element."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE_SCRIPT + SETTINGS)
    wrong: list[dict[str, Any]] = page.evaluate(RUN)
    return [
        f"{each['id']} ({each['impact']}): {' '.join(map(str, node['target']))}: {node['html'][:90]}: {why(node)}"
        for each in wrong
        if each["impact"] in impacts
        for node in each["nodes"]
    ]


def why(node: dict[str, Any]) -> str:
    """What is wrong with one element."""
    return "; ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind])
