// Attendance of one class, with corrections in two clicks.

import { byId, clock, element, setText } from "./dom.js";
import { percent } from "./i18n.js";
import { ask } from "./server.js";
import { button, chip, moment, notify } from "./words.js";

let shown = null; // the attendance on the page
let fixing = null; // what the open dialog is about: { id, name, faces }

const span = (one) => `${clock(one.start_s)} to ${clock(one.end_s)}`;

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
  return found ? `, ${found} gap${found === 1 ? "" : "s"}` : "";
}

function remarks(person) {
  const found = [];
  if (person.late_s) found.push(chip(`Late by ${clock(person.late_s)}`, "warn"));
  if (person.early_s) found.push(chip(`Left ${clock(person.early_s)} early`, "warn"));
  if (person.by_hand) found.push(chip("By hand"));
  return found;
}

function cell(role, className, ...children) {
  return element(role === "rowheader" ? "th" : "td", { role, class: className, ...(role === "rowheader" ? { scope: "row" } : {}) }, ...children);
}

function row(person) {
  const fix = button("Correct", () => openFix(person), "small");
  fix.setAttribute("aria-label", `Correct ${person.name}`);
  return element(
    "tr",
    { role: "row", "data-id": person.id },
    cell("rowheader", "", person.name),
    cell("cell", "when num", strip(person), `${clock(person.first_s)} to ${clock(person.last_s)}${gaps(person)}`),
    cell("cell", "here num", clock(person.present_s)),
    cell("cell", "remarks", ...(remarks(person).length ? [element("span", { class: "chips" }, ...remarks(person))] : [])),
    cell("cell", "sure num", percent(person.confidence)),
    cell("cell", "fix", fix),
  );
}

function stranger(face) {
  const who = { id: null, name: `Face ${face.track}`, faces: [face] };
  const fix = button("Say who it is", () => openFix(who), "small");
  fix.setAttribute("aria-label", `Say who face ${face.track} is`);
  return element("li", { class: "stranger" }, element("span", { class: "num" }, `Face ${face.track}, ${span(face)}`), fix);
}

function unknown(count) {
  if (count === null) return "A few faces were not recognised.";
  if (!count) return "";
  return `Faces followed and not recognised: ${count}. That is no number of people: whoever turns away for a while is followed anew.`;
}

function figure(name, text) {
  return element("div", {}, element("dt", {}, name), element("dd", { class: "num" }, text));
}

function show() {
  const { people, absent, strangers } = shown;
  byId("caution-text").textContent = shown.caution;
  setText(byId("class-name"), `${moment(shown.started_at)}, ${shown.source}${shown.ended ? "" : ", still running"}`);
  const late = people.filter((one) => one.late_s).length;
  const early = people.filter((one) => one.early_s).length;
  byId("summary").replaceChildren(
    figure("recognised", String(people.length)),
    ...(late ? [figure("late", String(late))] : []),
    ...(early ? [figure("left early", String(early))] : []),
    figure(shown.ended ? "long" : "so far", clock(shown.length_s)),
  );
  byId("rows").replaceChildren(...people.map(row));
  byId("roll").hidden = !people.length;
  byId("nobody").hidden = people.length > 0;
  byId("absent").replaceChildren(...absent.map((one) => element("li", { class: "chip" }, one.name)));
  byId("absent-box").hidden = !absent.length;
  byId("strangers").replaceChildren(...strangers.map(stranger));
  byId("strangers-box").hidden = !strangers.length;
  setText(byId("unknown"), unknown(shown.unknown_tracks));
  byId("unknown").hidden = !byId("unknown").textContent;
  byId("also").hidden = !absent.length && !strangers.length && byId("unknown").hidden;
  byId("seen").hidden = false;
}

/** Read the chosen class again. */
async function load(...notices) {
  const id = byId("class").value;
  const { data, wrong } = await ask("GET", `/api/v1/sessions/${id}/attendance`);
  notify(...notices, ["bad", wrong]);
  byId("refresh").disabled = false;
  const csv = byId("csv");
  csv.href = `/api/v1/sessions/${id}/attendance.csv`;
  csv.toggleAttribute("aria-disabled", false);
  if (wrong) {
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
  fixing = person;
  byId("fix-title").textContent = person.id ? `Correct ${person.name}` : `Who is ${person.name.toLowerCase()}?`;
  byId("fix-text").textContent = person.faces.length === 1 ? `Face ${person.faces[0].track}, ${span(person.faces[0])}` : "";
  byId("fix-error").textContent = "";
  byId("fix-face-box").hidden = person.faces.length === 1;
  byId("fix-face").replaceChildren(
    element("option", { value: "" }, `All ${person.faces.length} stretches`),
    ...person.faces.map((face) => element("option", { value: String(face.track) }, `Face ${face.track}, ${span(face)}`)),
  );
  byId("fix-not-box").hidden = !person.id;
  byId("fix-not").textContent = `This is not ${person.name}`;
  const others = shown.choices.filter((one) => one.id !== person.id);
  byId("fix-list-title").hidden = !others.length;
  byId("fix-list").replaceChildren(...others.map((one) => button(one.name, () => correct({ was: one.id }, `Now ${one.name}.`))));
  byId("fix").showModal();
}

async function correct(what, done) {
  const chosen = byId("fix-face").value;
  const faces = fixing.faces.filter((face) => !chosen || String(face.track) === chosen);
  const { wrong } = await ask("POST", `/api/v1/sessions/${shown.session_id}/attendance/corrections`, { tracks: faces.map((face) => face.track), ...what });
  byId("fix-error").textContent = wrong ?? "";
  if (wrong) return;
  byId("fix").close();
  await load(["quiet", done]);
  byId("title").focus();
}

async function begin() {
  const { data, wrong } = await ask("GET", "/api/v1/sessions");
  if (wrong || !data.length) {
    notify(wrong ? ["bad", wrong] : ["warn", "No class is stored yet."]);
    byId("caution").hidden = true;
    return;
  }
  const wanted = new URLSearchParams(location.search).get("class");
  byId("class").replaceChildren(
    ...data.map((one) => {
      const option = element("option", { value: String(one.id) }, `${one.id}: ${moment(one.started_at)}, ${one.source}${one.ended_at ? "" : ", running"}`);
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
byId("fix-not").addEventListener("click", () => correct({ was_not: fixing.id }, `Face taken off ${fixing.name}.`));
byId("fix-close").addEventListener("click", () => byId("fix").close());
await begin();
