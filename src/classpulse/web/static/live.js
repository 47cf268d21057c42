// The live page: listens to the class, shows it, and passes on what the buttons ask.

import { prepareAlerts, showAlerts } from "./alerts.js";
import { showAnswers } from "./answers.js";
import { addWindows, prepareChart, setClass, toldByAnswers } from "./chart.js";
import { byId, clock, element, part, setIcon, setText, unnumbered } from "./dom.js";
import { showFollowing } from "./following.js";
import { n, number, percent, t } from "./i18n.js";
import { showStudents } from "./join-panel.js";
import { prepareKeys } from "./keys.js";
import { prepareMarks, showMarks } from "./marks.js";
import { prepareMyTile } from "./my-tile.js";
import { showNow } from "./now.js";
import { prepareQuiet } from "./quiet.js";
import { inSchool, isObserver, prepareRole } from "./role.js";
import { ask } from "./server.js";
import { listen } from "./stream.js";

const PHASES = {
  asking: ["warn", t("Not started")],
  starting: ["quiet", t("Starting")],
  running: ["good", t("Running")],
  paused: ["warn", t("Paused")],
  ended: ["quiet", t("Ended")],
};
const TONES = { warn: t("Note"), bad: t("Problem"), quiet: t("Note") };

const EXEMPT = {
  medical: t("EU law: emotions are read for medical reasons alone, as has been declared."),
  safety: t("EU law: emotions are read for safety reasons alone, as has been declared."),
};

let state = null;
let stored = null; // the last state of a class that is stored
let connected = true;
let refused = "";

/** Ask the server for something; resolves to an empty text or to what is wrong. */
const post = async (what, body) => (await ask("POST", `/api/v1/${what}`, body)).wrong ?? "";

async function press(what, body) {
  if (isObserver()) return "";
  refused = await post(what, body);
  showNotices();
  return refused;
}

function away() {
  // Whether a class was still told that it ends is chance, where its server does; and it may go on.
  if (inSchool()) return ["bad", t("The school's server was closed, or cannot be reached. This page goes on by itself when it is back; what was stored is kept.")];
  if (state?.phase !== "ended") return ["bad", t("The connection to Classpulse is lost; trying again. The figures below are old.")];
  return ["quiet", t("Classpulse has closed. What it stored is kept: `classpulse sessions` lists it, and `classpulse report latest` makes the report.")];
}

function notices() {
  const found = [];
  if (!connected) found.push(away());
  if (refused) found.push(["bad", refused]);
  if (state?.trouble) found.push(["bad", state.trouble]);
  if (state && connected && state.source.state === "waiting" && state.phase !== "paused" && state.phase !== "ended") {
    found.push(["warn", state.source.message || t("{name} gives no picture; trying again.", { name: state.source.name })]);
  }
  return found;
}

function withCode(text) {
  return text.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));
}

let noticed = "";
let announced = "";

function showNotices() {
  const found = notices();
  document.body.toggleAttribute("data-stale", !connected);
  if (noticed === JSON.stringify(found)) return;
  noticed = JSON.stringify(found);
  byId("notices").replaceChildren(
    ...found.map(([tone, text]) => element("p", { class: "notice", "data-tone": tone }, element("b", {}, TONES[tone]), element("span", {}, ...withCode(text)))),
  );
  const text = found.map(([, each]) => each.replaceAll("`", "")).join(" ");
  if (unnumbered(text) !== announced) announce(text);
  announced = unnumbered(text);
}

/** Say something to screen readers, when they have finished what they are saying. */
function announce(text) {
  if (text) byId("announcer").textContent = text;
}

function showStatus() {
  const waiting = state.phase === "running" && state.source.state === "waiting";
  const [tone, word] = !connected && (state.phase !== "ended" || inSchool()) ? ["bad", t("No connection")] : waiting ? ["warn", t("Waiting")] : PHASES[state.phase];
  const pill = byId("status");
  if (pill.textContent !== word) announce(`${word}.`);
  pill.dataset.tone = tone;
  setText(pill, word);
  setText(byId("source"), state.source.name);
  setText(byId("clock"), state.phase === "asking" ? "" : clock(state.elapsed_s));
  document.title = state.phase === "running" ? "Classpulse" : `${word} · Classpulse`;
}

function offer(link, ready) {
  if (ready) byId(link).removeAttribute("aria-disabled");
  else byId(link).setAttribute("aria-disabled", "true");
}

function showControls() {
  const { phase } = state;
  const paused = phase === "paused";
  byId("pause").disabled = !connected || !["running", "paused"].includes(phase);
  setText(byId("pause").lastElementChild, paused ? t("Resume") : t("Pause"));
  setIcon(byId("pause").firstElementChild, paused ? "icon-resume" : "icon-pause");
  byId("stop").disabled = !connected || phase === "ended";
  const stored = state.session_id !== null;
  offer("export", connected && stored);
  // A link without an address is none, and cannot be opened in a new tab either.
  if (stored) byId("report").href = `api/v1/sessions/${state.session_id}/report.html`;
  else byId("report").removeAttribute("href");
  offer("report", connected && stored);
}

/** So long a share of dropped frames says nothing: while the models are opened, nobody takes any. */
const UNJUDGED_S = 5;

function showHealth() {
  const { source } = state;
  const comes = source.state !== "waiting";
  const counts = { dropped: number(source.dropped), frames: number(source.frames) };
  const dropped = source.frames
    ? t("{dropped} of {frames} ({share})", { ...counts, share: percent(source.dropped / source.frames, source.dropped ? 1 : 0) })
    : t("{dropped} of {frames}", counts);
  setText(byId("rate"), comes ? number(state.results_per_s, 1) : "–");
  setText(byId("age"), comes ? `${number(state.age_ms)} ms` : "–");
  const judged = state.elapsed_s >= UNJUDGED_S || state.phase === "ended";
  setText(byId("dropped"), judged ? dropped : "–");
  const word = { ok: t("Good"), waiting: t("No picture"), ended: t("Ended") }[source.state] ?? source.state;
  setText(byId("source-health"), source.reopened ? n("{word}, reopened once", "{word}, reopened {n} times", source.reopened, { word }) : word);
  const begins = ["asking", "starting"].includes(state.phase); // it has no number yet
  setText(byId("session"), state.session_id !== null ? t("Class {id}", { id: state.session_id }) : begins ? "–" : t("Not stored"));
}

function law() {
  if (state.phase === "asking") return "";
  if (state.jurisdiction === "eu" && !state.exemption) {
    if (!state.camera) return t("Under EU law emotions may not be inferred in education, so students take part with answers alone.");
    return t("Under EU law emotions may not be inferred in education, so faces are only counted.");
  }
  if (state.demo) return t("The demo's people are made of two public-domain portraits.");
  const group = state.min_group === null ? "" : t("Every figure of the class comes from at least {group} people.", { group: state.min_group });
  const trial = state.jurisdiction === null ? t("A trial: nobody has said yet which law is in force here.") : "";
  return [trial || EXEMPT[state.exemption], group].filter(Boolean).join(" ");
}

function chooseView(name) {
  for (const view of ["class", "individual"]) {
    const chosen = view === name;
    byId(`tab-${view}`).setAttribute("aria-selected", String(chosen));
    byId(`tab-${view}`).tabIndex = chosen ? 0 : -1;
    byId(`view-${view}`).hidden = !chosen;
  }
}

async function showFaces() {
  const { showFaces: show } = await part("faces");
  if (state.individual) show(state.faces ?? []);
}

async function showSaid() {
  const { showSaid: show } = await part("said");
  show(state);
  byId("now-said").hidden = !toldByAnswers(state); // shown with what it says, and not empty before
}

async function showQuestion() {
  if (state.phase === "asking") (await part("ask")).prepareQuestion(post);
  byId("ask").hidden = state.phase !== "asking";
}

function showViews() {
  byId("nav").hidden = !state.recognizes || state.phase === "asking";
  showQuestion();
  const individual = state.individual && state.phase !== "asking";
  if (!individual && !byId("tabs").hidden) chooseView("class");
  byId("tabs").hidden = !individual;
  document.body.toggleAttribute("data-full", individual && !byId("nav").hidden);
  document.body.toggleAttribute("data-nav", !byId("nav").hidden);
  // A lone view is no tab's panel.
  for (const [name, value] of [["role", "tabpanel"], ["aria-labelledby", "tab-class"]]) {
    if (individual) byId("view-class").setAttribute(name, value);
    else byId("view-class").removeAttribute(name);
  }
  if (individual) showFaces();
}

function show(next) {
  if (next.session_id !== null) stored = next;
  // What broke off while it began again has no number, and is the class that was stored before.
  state = next.phase === "ended" && next.session_id === null && stored ? { ...stored, phase: "ended", source: next.source, trouble: next.trouble } : next;
  document.body.dataset.phase = state.phase;
  showStatus();
  showControls();
  showViews();
  setClass(state);
  showFollowing(state, connected);
  const byAnswers = toldByAnswers(state);
  document.body.toggleAttribute("data-no-camera", !state.camera);
  document.body.toggleAttribute("data-no-emotions", byAnswers && !state.faces?.length);
  showAnswers(state, byAnswers);
  showMarks(state, connected);
  showAlerts(state, connected);
  showStudents(state, connected);
  byId("now").hidden = byAnswers;
  if (byAnswers) {
    showSaid();
  } else {
    byId("now-said").hidden = true;
    showNow(state);
  }
  showHealth();
  setText(byId("law"), law());
  showNotices();
}

function prepareControls() {
  byId("pause").addEventListener("click", () => press(state.phase === "paused" ? "resume" : "pause"));
  const dialog = byId("stop-dialog");
  byId("stop").addEventListener("click", () => {
    dialog.returnValue = "";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => dialog.returnValue === "stop" && press("stop"));
  for (const link of ["export", "report"]) {
    byId(link).addEventListener("click", (event) => event.currentTarget.getAttribute("aria-disabled") && event.preventDefault());
  }
  byId("tabs").addEventListener("click", (event) => event.target.id && chooseView(event.target.id.replace("tab-", "")));
  byId("tabs").addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    const other = byId("tab-class").tabIndex === 0 ? "individual" : "class";
    const next = { Home: "class", End: "individual" }[event.key] ?? other;
    chooseView(next);
    byId(`tab-${next}`).focus();
  });
}

/** Whoever is logged out of a school is sent to its login, and from there back to this class. */
async function refusedHere() {
  if (!inSchool() || (await ask("GET", "/api/v1/role")).status !== 401) return;
  const place = location.pathname.split("/").slice(-3).join("/"); // c/NAME/, wherever a proxy has put the school
  location.replace(`../../login?said=out&next=${place}`);
}

prepareControls();
prepareChart();
prepareMarks(press);
prepareAlerts(press);
prepareQuiet();
prepareKeys();
await prepareRole(); // what is shown and asked for goes by it
prepareMyTile();
listen({
  state: show,
  windows(told) {
    addWindows(told);
    if (state) show(state); // what the class is told by may be another with them
  },
  connection(there) {
    if (there === connected) return;
    connected = there;
    if (there) refused = "";
    if (state) show(state);
    else showNotices();
  },
  refused: refusedHere,
});
