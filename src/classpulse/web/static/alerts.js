// Alerts: the newest in a list, a new one in a banner that takes nothing away, with a sound for those who want it.

import { byId, clock, element, icon, setText } from "./dom.js";
import { n, t } from "./i18n.js";
import { recall, remember } from "./memory.js";

const LISTED = 20;
const SNOOZE_MIN = 10;

const SNOOZE = n("Snooze {n} minute", "Snooze {n} minutes", SNOOZE_MIN);

let seen = null; // keys of the alerts that are known; null before the first state
let session = null;
let snooze = () => {};

/** A sound, where it is wanted. */
async function chime() {
  if (recall("sound")) (await import("./sound.js")).chime();
}

const keyOf = (alert) => `${alert.time_s} ${alert.kind}`;

function fill(alerts) {
  const newest = alerts.slice(-LISTED).reverse();
  byId("alert-list").hidden = !newest.length;
  byId("no-alerts").hidden = newest.length > 0;
  byId("alert-list").replaceChildren(
    ...newest.map((alert) => element("li", {}, element("b", { class: "num" }, clock(alert.time_s)), element("span", {}, alert.reason))),
  );
}

function button(text, act, className = "") {
  const made = element("button", { type: "button", class: `button small ${className}`.trim() }, text);
  made.addEventListener("click", act);
  return made;
}

/** Take the banner away; whoever was in it goes on at a button that is there in every mode. */
function dismiss() {
  const inside = byId("banner").contains(document.activeElement);
  byId("banner").replaceChildren();
  if (inside) byId("quiet").focus();
}

function raise(alert) {
  const inside = byId("banner").contains(document.activeElement);
  byId("banner").replaceChildren(
    icon("icon-flag", "flag"),
    element("p", {}, element("b", { class: "num" }, t("Alert, {time}", { time: clock(alert.time_s) })), element("span", {}, alert.reason)),
    element("div", { class: "banner-actions" }, button(SNOOZE, () => snooze(SNOOZE_MIN).then((done) => done && dismiss())), button(t("Dismiss"), dismiss)),
  );
  if (inside) byId("banner").querySelector("button:last-of-type").focus();
  chime();
}

const isOn = ({ phase }) => ["running", "paused"].includes(phase);

/** For how many minutes more no alert is raised. */
const snoozedMinutes = (state) => (isOn(state) ? Math.max(0, Math.ceil(((state.snoozed_until_s ?? 0) - state.elapsed_s) / 60)) : 0);

function showSnooze(state, connected) {
  const snoozed = snoozedMinutes(state);
  setText(byId("snoozed"), snoozed ? n("Snoozed for {n} more minute", "Snoozed for {n} more minutes", snoozed) : "");
  setText(byId("snooze"), snoozed ? t("End snooze") : SNOOZE);
  byId("snooze").dataset.minutes = snoozed ? 0 : SNOOZE_MIN;
  byId("snooze").disabled = !connected || !isOn(state);
  byId("snooze").hidden = !state.alerts_on;
  setText(byId("no-alerts"), state.alerts_on ? t("None so far. They are rare, and each gives its reason.") : t("Alerts are switched off in the settings."));
}

/** Show the alerts; one that was not there before is told of. */
export function showAlerts(state, connected) {
  const alerts = state.alerts ?? [];
  showSnooze(state, connected);
  if (session !== state.session_id) seen = null;
  session = state.session_id;
  const fresh = seen && alerts.filter((alert) => !seen.has(keyOf(alert)));
  if (fresh && !fresh.length && alerts.length === seen.size) return;
  seen = new Set(alerts.map(keyOf));
  fill(alerts);
  if (fresh?.length) raise(fresh.at(-1));
  if (!alerts.length) byId("banner").replaceChildren();
}

/** Send snoozes with `post`, which resolves to an empty text or to what is wrong. */
export function prepareAlerts(post) {
  snooze = async (minutes) => !(await post("snooze", { minutes }));
  byId("snooze").addEventListener("click", (event) => snooze(Number(event.currentTarget.dataset.minutes)));
  byId("sound").checked = recall("sound");
  byId("sound").addEventListener("change", (event) => {
    remember("sound", event.target.checked);
    chime(); // so that it is known what it is like
  });
}
