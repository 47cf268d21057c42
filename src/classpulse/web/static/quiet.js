// Quiet mode: only how the class follows, in large type, on the whole page.

import { byId } from "./dom.js";
import { recall, remember } from "./memory.js";

export const isQuiet = () => document.body.hasAttribute("data-quiet");

function set(on) {
  document.body.toggleAttribute("data-quiet", on);
  byId("quiet-word").textContent = on ? "Leave quiet mode" : "Quiet mode";
  byId("quiet").lastElementChild.textContent = on ? "Esc" : "F";
  if (on) scrollTo(0, 0);
}

/** Enter it or leave it; the button for the way back keeps the focus. */
export function turnQuiet(on) {
  set(on);
  remember("quiet", on);
  byId("quiet").focus();
}

export function prepareQuiet() {
  byId("quiet").addEventListener("click", () => turnQuiet(!isQuiet()));
  set(recall("quiet"));
}
