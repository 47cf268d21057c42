// Words that the pages about people share: dates, what a consent is for, and notices.

import { byId, element } from "./dom.js";

export const day = (iso) => new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });

export const moment = (iso) =>
  new Date(iso).toLocaleString("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export const pictures = (n) => (n === 1 ? "1 picture" : `${n} pictures`);

export const PURPOSES = {
  recognition: "To be recognised in class",
  individual: "To be shown by name on the teacher's page",
};

/** What became of a consent, in a few words. */
export function standing(consent) {
  if (consent.withdrawn_at) return `withdrawn on ${day(consent.withdrawn_at)}`;
  return consent.stands ? `valid until ${day(consent.expires_at)}` : `ran out on ${day(consent.expires_at)}`;
}

/** Who agreed, and when, in a few words; whose it is need not be said again. */
export function givenBy(consent, name) {
  const by = consent.guardian ? ` by ${consent.given_by}, as a guardian,` : consent.given_by === name ? "" : ` by ${consent.given_by}`;
  return `Agreed${by} on ${day(consent.recorded_at)}`;
}

export const chip = (text, tone = "quiet") => element("span", { class: "chip", "data-tone": tone }, text);

/** Texts with `code` in backquotes, as nodes. */
export const withCode = (text) => text.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));

const TITLES = { bad: "Problem", warn: "Note", quiet: "Done" };

/** Show notices, each a tone and a text; screen readers hear them. */
export function notify(...found) {
  byId("notices").replaceChildren(
    ...found
      .filter(([, text]) => text)
      .map(([tone, text]) => element("p", { class: "notice", "data-tone": tone }, element("b", {}, TITLES[tone]), element("span", {}, ...withCode(text)))),
  );
}

/** A button that does something. */
export function button(text, act, className = "") {
  const made = element("button", { type: "button", class: `button ${className}`.trim() }, text);
  made.addEventListener("click", act);
  return made;
}

/** Ask for a yes in the dialog `#sure`; resolves to whether it was given. */
export function confirmed(title, text, yes) {
  const dialog = byId("sure");
  byId("sure-title").textContent = title;
  byId("sure-text").textContent = text;
  byId("sure-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
