"""What a school's pages say while its server is away, of who takes part, and of what was not copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect
from shown_school import course, one_account, shown_school

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

LINES = """async () => {
  const { lineOf } = await import("/static/class-card.js");
  const run = { phase: "running", elapsed_s: 65, word: null };
  const line = (source, people, students) => lineOf({ source, run: { ...run, people, students } });
  return [line("0", 12, 5), line("0", 12, 0), line("0", null, 1), line("join", 5, 5)];
}"""


def test_notices_go_when_what_they_say_is_over(browser: Browser, tmp_path: Path) -> None:
    with shown_school(tmp_path) as shown, browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        page.clock.install()
        course(shown, page)
        page.route("**/courses/maths-7b", lambda route: route.abort())
        page.clock.run_for(3_000)
        expect(page.locator("#notices")).to_contain_text("Classpulse cannot be reached")
        page.unroute("**/courses/maths-7b")
        page.clock.run_for(3_000)
        expect(page.locator("#notices")).to_be_empty()
        assert page.evaluate(LINES) == [
            *("1:05 · 12 people · 5 students", "1:05 · 12 people", "1:05 · 1 student", "1:05 · 5 students")
        ]
        # As on a page without https: the browser hands out no clipboard.
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        one_account(shown, page)
        page.locator("#copy").click()
        expect(page.locator("#copy")).to_have_text("Copy it by hand")
