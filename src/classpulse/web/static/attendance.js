// Attendance of one class, with corrections in two clicks.

import { byId, clock, element, setText, shownSeconds } from "./dom.js";
import { n, number, percent, t } from "./i18n.js";
import { ask } from "./server.js";
import { button, chip, moment, notify } from "./words.js";

const [NOT_ALLOWED, NOBODY_ON_FILE] = [409, 422]; // statuses

let shown = null; // the attendance on the page
let fixing = null; // what the open dialog is about: { id, name, faces, session }

const span = (one) => t("{start} to {end}", { start: clock(one.start_s), end: clock(one.end_s) });

/** A length as the ends of its interval are shown: the seconds that are over, of both. */
const between = (start_s, end_s) => clock(shownSeconds(end_s) - shownSeconds(start_s));

/** How long somebody was here; of several intervals, of which only the ends are shown, it is told for itself. */
function hereFor(person) {
  return person.spans.length === 1 ? between(person.first_s, person.last_s) : clock(person.present_s);
}

const faceAt = (face) => t("Face {track}, {span}", { track: face.track, span: span(face) });

function strip(person) {
  const bar = element("div", { class: "strip", "aria-hidden": "true" });
  for (const one of person.spans) {
    const part = element("i");
    part.style.setProperty("--from", one.start_s / (shown.length_s || 1));
    part.style.setProperty("--share", (one.end_s - one.start_s) / (shown.length_s || 1));
    bar.append(part);
  }
  return bar;
}

function gaps(person) {
  const found = person.spans.length - 1;
  return found ? `, ${n("{n} gap", "{n} gaps", found)}` : "";
}

function remarks(person) {
  const found = [];
  if (person.late_s) found.push(chip(t("Late by {time}", { time: clock(person.late_s) }), "warn"));
  if (person.early_s) found.push(chip(t("Left {time} early", { time: between(person.last_s, shown.length_s) }), "warn"));
  if (person.by_hand) found.push(chip(t("By hand")));
  return found;
}

function cell(role, className, ...children) {
  return element(role === "rowheader" ? "th" : "td", { role, class: className, ...(role === "rowheader" ? { scope: "row" } : {}) }, ...children);
}

function row(person) {
  const fix = button(t("Correct"), () => openFix(person), "small");
  fix.setAttribute("aria-label", t("Correct {name}", { name: person.name }));
  return element(
    "tr",
    { role: "row", "data-id": person.id },
    cell("rowheader", "", person.name),
    cell("cell", "when num", strip(person), `${span({ start_s: person.first_s, end_s: person.last_s })}${gaps(person)}`),
    cell("cell", "here num", hereFor(person)),
    cell("cell", "remarks", ...(remarks(person).length ? [element("span", { class: "chips" }, ...remarks(person))] : [])),
    cell("cell", "sure num", percent(person.confidence)),
    cell("cell", "fix", fix),
  );
}

function stranger(face) {
  const who = { id: null, name: t("Face {track}", { track: face.track }), faces: [face] };
  const fix = button(t("Say who it is"), () => openFix(who), "small");
  fix.setAttribute("aria-label", t("Say who face {track} is", { track: face.track }));
  return element("li", { class: "stranger" }, element("span", { class: "num" }, faceAt(face)), fix);
}

function unknown(count) {
  if (count === null) return t("A few faces were not recognised.");
  if (!count) return "";
  return t("Faces followed and not recognised: {count}. That is no number of people: whoever turns away for a while is followed anew.", { count: number(count) });
}

function figure(name, text) {
  return element("div", {}, element("dt", {}, name), element("dd", { class: "num" }, text));
}

function show() {
  const { people, absent, strangers } = shown;
  byId("caution-text").textContent = shown.caution;
  setText(byId("class-name"), [moment(shown.started_at), shown.source, ...(shown.ended ? [] : [t("still running")])].join(", "));
  const late = people.filter((one) => one.late_s).length;
  const early = people.filter((one) => one.early_s).length;
  byId("summary").replaceChildren(
    figure(t("recognised"), number(people.length)),
    ...(late ? [figure(t("late"), number(late))] : []),
    ...(early ? [figure(t("left early"), number(early))] : []),
    figure(shown.ended ? t("long") : t("so far"), clock(shown.length_s)),
  );
  byId("rows").replaceChildren(...people.map(row));
  byId("roll").hidden = !people.length;
  byId("nobody").hidden = people.length > 0;
  setText(byId("nobody"), shown.ended ? t("Nobody was recognised in this class.") : t("Nobody was recognised so far."));
  setText(byId("absent-title"), shown.ended ? t("Enrolled, and not seen") : t("Enrolled, and not seen so far"));
  byId("so-far").hidden = shown.ended;
  byId("absent").replaceChildren(...absent.map((one) => element("li", { class: "chip" }, one.name)));
  byId("absent-box").hidden = !absent.length;
  byId("strangers").replaceChildren(...strangers.map(stranger));
  byId("strangers-box").hidden = !strangers.length;
  setText(byId("unknown"), unknown(shown.unknown_tracks));
  byId("unknown").hidden = !byId("unknown").textContent;
  byId("also").hidden = !absent.length && !strangers.length && byId("unknown").hidden;
  byId("seen").hidden = false;
}

/** In a school only admins enrol. */
async function showWhoEnrols() {
  const { data } = await ask("GET", "/api/v1/role");
  byId("enrol-school").hidden = !data?.admin;
  byId("enrol-others").hidden = Boolean(data?.admin);
}

/** Read the chosen class again. */
async function load(...notices) {
  const id = byId("class").value;
  const { data, wrong, status } = await ask("GET", `/api/v1/sessions/${id}/attendance`);
  if (byId("class").value !== id) return; // another class was chosen meanwhile
  // That nobody is enrolled is how everybody begins, and that the law does not allow it is no fault either.
  const nobody = status === NOBODY_ON_FILE || (!wrong && !data.people.length && !data.choices.length);
  byId("begin").hidden = !nobody;
  if (nobody && document.documentElement.hasAttribute("data-school")) await showWhoEnrols();
  byId("page-actions").hidden = nobody;
  notify(...notices, ...(nobody ? [] : [[status === NOT_ALLOWED ? "warn" : "bad", wrong]]));
  byId("caution").hidden = nobody || Boolean(wrong);
  byId("refresh").disabled = false;
  const csv = byId("csv");
  csv.href = `api/v1/sessions/${id}/attendance.csv`;
  csv.toggleAttribute("aria-disabled", false);
  if (wrong || nobody) {
    csv.setAttribute("aria-disabled", "true");
    byId("seen").hidden = byId("also").hidden = true;
    setText(byId("class-name"), "");
    return;
  }
  shown = data;
  show();
}

// Corrections.

function openFix(person) {
  fixing = { ...person, session: shown.session_id }; // another class may be shown before it is corrected
  byId("fix-title").textContent = person.id ? t("Correct {name}", { name: person.name }) : t("Who is face {track}?", { track: person.faces[0].track });
  byId("fix-text").textContent = person.faces.length === 1 ? faceAt(person.faces[0]) : "";
  byId("fix-error").textContent = "";
  byId("fix-face-box").hidden = person.faces.length === 1;
  byId("fix-face").replaceChildren(
    element("option", { value: "" }, n("The one stretch", "All {n} stretches", person.faces.length)),
    ...person.faces.map((face) => element("option", { value: String(face.track) }, faceAt(face))),
  );
  byId("fix-not-box").hidden = !person.id;
  byId("fix-not").textContent = t("This is not {name}", { name: person.name });
  const others = shown.choices.filter((one) => one.id !== person.id);
  byId("fix-list-title").hidden = !others.length;
  byId("fix-list").replaceChildren(...others.map((one) => button(one.name, () => correct({ was: one.id }, t("Now {name}.", { name: one.name })))));
  byId("fix").showModal();
}

async function correct(what, done) {
  const chosen = byId("fix-face").value;
  const faces = fixing.faces.filter((face) => !chosen || String(face.track) === chosen);
  const { wrong } = await ask("POST", `/api/v1/sessions/${fixing.session}/attendance/corrections`, { tracks: faces.map((face) => face.track), ...what });
  byId("fix-error").textContent = wrong ?? "";
  if (wrong) return;
  byId("fix").close();
  await load(["quiet", done]);
  byId("title").focus();
}

async function begin() {
  const { data, wrong } = await ask("GET", "/api/v1/sessions");
  if (wrong || !data.length) {
    notify(wrong ? ["bad", wrong] : ["warn", t("No class is stored yet.")]);
    return;
  }
  const wanted = new URLSearchParams(location.search).get("class");
  byId("class").replaceChildren(
    ...data.map((one) => {
      const option = element("option", { value: String(one.id) }, `${one.id}: ${[moment(one.started_at), one.source, ...(one.ended_at ? [] : [t("running")])].join(", ")}`);
      option.selected = String(one.id) === wanted;
      return option;
    }),
  );
  byId("class").disabled = false;
  await load();
}

byId("class").addEventListener("change", () => load());
byId("refresh").addEventListener("click", () => load());
byId("csv").addEventListener("click", (event) => byId("csv").hasAttribute("aria-disabled") && event.preventDefault());
byId("fix-not").addEventListener("click", () => correct({ was_not: fixing.id }, t("Face taken off {name}.", { name: fixing.name })));
byId("fix-close").addEventListener("click", () => byId("fix").close());
await begin();
