// Single keys for what a teacher does while teaching; none of them fires while somebody types.

import { byId, element } from "./dom.js";
import { t } from "./i18n.js";
import { recall, remember } from "./memory.js";
import { isQuiet, turnQuiet } from "./quiet.js";

const TYPED_IN = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])";

const press = (id) => () => byId(id).click(); // a button that is disabled does nothing

const KEYS = {
  T: [t("Mark a new topic"), press("mark-topic")],
  Q: [t("Mark a question"), press("mark-question")],
  M: [t("Write another mark"), () => byId("mark-text").focus()],
  F: [t("Quiet mode: only how the class follows, and a new alert"), press("quiet")],
  Escape: [t("Leave quiet mode"), () => isQuiet() && turnQuiet(false)],
  "?": [t("These keys"), () => openHelp()],
};

function openHelp() {
  byId("help-dialog").showModal();
}

function onKey(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || (event.shiftKey && key !== "?")) return;
  if (event.repeat || event.isComposing || event.defaultPrevented) return;
  if (document.body.dataset.phase === "asking" || document.querySelector("dialog[open]") || target.closest?.(TYPED_IN)) return;
  const [, act] = KEYS[key.length === 1 ? key.toUpperCase() : key] ?? [];
  if (!act) return;
  if (key !== "Escape" && !byId("single-keys").checked) return;
  if (key !== "Escape") event.preventDefault(); // or the letter would be typed into the field that gets the focus
  act();
}

export function prepareKeys() {
  const rows = Object.entries(KEYS).map(([key, [text]]) => element("div", {}, element("dt", {}, element("kbd", {}, key.slice(0, 3))), element("dd", {}, text)));
  byId("keys").replaceChildren(...rows);
  document.addEventListener("keydown", onKey);
  // Who speaks to the machine, or shakes, presses letters without wanting to (WCAG 2.1.4).
  const single = byId("single-keys");
  single.checked = !recall("no-keys");
  single.addEventListener("change", () => remember("no-keys", !single.checked));
  byId("help").addEventListener("click", openHelp);
}
