// What somebody is, in words; sentences of the server as sentences; and what lies ready to be copied.

import { byId } from "./dom.js";
import { language, t } from "./i18n.js";

export const RANKS = { admin: t("Admin"), teacher: t("Teacher"), observer: t("Observer") };

const STOP = language === "hi" ? "।" : ".";

/** A sentence as it stands alone: the server's may begin small and end open, as they follow a name in a terminal. */
export const sentence = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1) + (/[\p{L}\p{N}\p{M})]$/u.test(text) ? STOP : "");

/** Show a secret once, chosen, ready to be copied. */
export function showOnce(name, text) {
  byId(`${name}-box`).hidden = !text;
  byId(`${name}-text`).value = text;
  byId("copy").textContent = t("Copy");
  if (!text) return;
  byId(`${name}-text`).focus();
  byId(`${name}-text`).select();
}

/** Have the button `#copy` copy it; where the browser hands out no clipboard it stays chosen, for the keyboard. */
export function prepareCopy(name) {
  byId("copy").addEventListener("click", async () => {
    byId(`${name}-text`).select();
    try {
      await navigator.clipboard.writeText(byId(`${name}-text`).value);
      byId("copy").textContent = t("Copied");
    } catch {
      byId("copy").textContent = t("Copy it by hand");
    }
  });
}
