"""The report of a class as a browser shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stored_class import store_lesson

from classpulse.report.contents import read_class
from classpulse.report.page import to_html
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser


def test_charts_fit_a_phone_and_a_desk(browser: Browser, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'c.db'}") as store:
        html = to_html([read_class(store, store_lesson(store, 6))])
    page = browser.new_page()
    page.set_content(html)
    for width, sheet in ((390, "narrow"), (1200, "wide")):
        page.set_viewport_size({"width": width, "height": 800})
        boxes = page.locator(".frame .chart:visible").evaluate_all(
            "all => all.map(one => [one.classList[1], one.getBoundingClientRect().right])"
        )
        assert [name for name, _ in boxes] == [sheet] * 3
        assert all(right <= width for _, right in boxes)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(set(ids)) == len(ids)
