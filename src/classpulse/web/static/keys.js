// Single keys for what a teacher does while teaching; none of them fires while somebody types.

import { byId } from "./dom.js";
import { isQuiet, turnQuiet } from "./quiet.js";

const TYPED_IN = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])";

const press = (id) => () => byId(id).click(); // a button that is disabled does nothing

const KEYS = {
  t: press("mark-topic"),
  q: press("mark-question"),
  m: () => byId("mark-text").focus(),
  f: press("quiet"),
  "?": () => openHelp(),
  escape: () => isQuiet() && turnQuiet(false),
};

function openHelp() {
  byId("help-dialog").showModal();
}

function onKey(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || (event.shiftKey && key !== "?")) return;
  if (event.repeat || event.isComposing || event.defaultPrevented) return;
  if (document.body.dataset.phase === "asking" || document.querySelector("dialog[open]") || target.closest?.(TYPED_IN)) return;
  const act = KEYS[key.toLowerCase()];
  if (!act) return;
  if (key !== "Escape") event.preventDefault(); // or the letter would be typed into the field that gets the focus
  act();
}

export function prepareKeys() {
  document.addEventListener("keydown", onKey);
  byId("help").addEventListener("click", openHelp);
}
