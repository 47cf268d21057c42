"""How Chromium is started for tests, and what every page is looked at for."""

from __future__ import annotations

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

CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (rgb) => rgb.slice(0, 3).map((v) => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let n = node; n; n = n.parentElement) {
      const colour = parse(getComputedStyle(n).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.checkVisibility({ visibilityProperty: true }) || node.closest(".visually-hidden, svg")) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push([node.className || node.id || node.tagName, node.textContent.slice(0, 30), ratio]);
  }
  return found;
}"""
"""Texts that stand out from what is behind them by less than 4.5 to 1 (WCAG 2.2, 1.4.3)."""

UNNAMED = """() => {
  const nameOf = (node) => node.getAttribute("aria-label")
    || document.getElementById(node.getAttribute("aria-labelledby"))?.textContent
    || [...(node.labels ?? [])].map((label) => label.textContent).join("")
    || node.textContent || node.getAttribute("alt") || "";
  const found = [];
  const controls = "button, a[href], input, select, textarea, dialog, video, table, [role=img], nav, section";
  for (const node of document.querySelectorAll(controls)) {
    if (node.checkVisibility() && !nameOf(node).trim()) found.push(node.outerHTML.slice(0, 90));
  }
  for (const image of document.querySelectorAll("img")) if (!image.hasAttribute("alt")) found.push(image.outerHTML);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  found.push(...ids.filter((id, i) => ids.indexOf(id) !== i));
  if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
  if (!document.documentElement.lang) found.push("no language");
  return found;
}"""
"""Controls and landmarks without a name, pictures without an alternative, ids that are there twice (WCAG 4.1.2)."""

OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
"""Whether a page is wider than its window."""
