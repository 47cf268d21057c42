// Words that the pages about people share: dates, what a consent is for, and notices.

import { byId, element } from "./dom.js";
import { date, n, t } from "./i18n.js";

export const day = (iso) => date(iso, { day: "numeric", month: "short", year: "numeric" });

export const moment = (iso) => date(iso, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

export const pictures = (count) => n("{n} picture", "{n} pictures", count);

export const PURPOSES = {
  recognition: t("To be recognised in class"),
  individual: t("To be shown by name on the teacher's page"),
};

/** What became of a consent, in a few words. */
export function standing(consent) {
  if (consent.withdrawn_at) return t("withdrawn on {day}", { day: day(consent.withdrawn_at) });
  const end = day(consent.expires_at);
  return consent.stands ? t("valid until {day}", { day: end }) : t("ran out on {day}", { day: end });
}

/** Who agreed, and when, in a few words; whose it is need not be said again. */
export function givenBy(consent, name) {
  const values = { name: consent.given_by, day: day(consent.recorded_at) };
  if (consent.guardian) return t("Agreed by {name}, as a guardian, on {day}", values);
  return consent.given_by === name ? t("Agreed on {day}", values) : t("Agreed by {name} on {day}", values);
}

export const chip = (text, tone = "quiet") => element("span", { class: "chip", "data-tone": tone }, text);

/** Texts with `code` in backquotes, as nodes. */
export const withCode = (text) => text.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));

const TITLES = { bad: t("Problem"), warn: t("Note"), quiet: t("Done") };

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
