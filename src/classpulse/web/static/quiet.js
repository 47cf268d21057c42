// Quiet mode: only how the class follows, in large type, on the whole page.

import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { recall, remember } from "./memory.js";

export const isQuiet = () => document.body.hasAttribute("data-quiet");

function set(on) {
  document.body.toggleAttribute("data-quiet", on);
  byId("quiet-word").textContent = on ? t("Leave quiet mode") : t("Quiet mode");
  byId("quiet").lastElementChild.textContent = on ? "Esc" : "F";
  if (on) scrollTo(0, 0);
}

let back = null; // what had the focus before

/** Enter it or leave it; the focus comes back to where it was. */
export function turnQuiet(on) {
  if (on) back = document.activeElement;
  set(on);
  remember("quiet", on);
  if (!on) back?.focus();
  else if (back !== byId("quiet")) byId("main").focus();
}

export function prepareQuiet() {
  byId("quiet").addEventListener("click", () => turnQuiet(!isQuiet()));
  set(recall("quiet"));
}
