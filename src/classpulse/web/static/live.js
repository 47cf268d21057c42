// The live page: listens to the class, shows it, and passes on what the buttons ask.

import { prepareAlerts, showAlerts } from "./alerts.js";
import { showAnswers } from "./answers.js";
import { addWindows, prepareChart, setClass } from "./chart.js";
import { byId, clock, element, part, setIcon, setText } from "./dom.js";
import { showFollowing } from "./following.js";
import { number } from "./i18n.js";
import { prepareKeys } from "./keys.js";
import { prepareMarks, showMarks } from "./marks.js";
import { showNow } from "./now.js";
import { prepareQuiet } from "./quiet.js";
import { ask } from "./server.js";
import { listen } from "./stream.js";

const PHASES = {
  asking: ["warn", "Not started"],
  starting: ["quiet", "Starting"],
  running: ["good", "Running"],
  paused: ["warn", "Paused"],
  ended: ["quiet", "Ended"],
};
const TONES = { warn: "Note", bad: "Problem", quiet: "Note" };

let state = null;
let connected = true;
let refused = "";

/** Ask the server for something; resolves to an empty text or to what is wrong. */
const post = async (what, body) => (await ask("POST", `/api/v1/${what}`, body)).wrong ?? "";

async function press(what, body) {
  refused = await post(what, body);
  showNotices();
  return refused;
}

function notices() {
  const found = [];
  if (!connected) {
    found.push(
      state?.phase === "ended"
        ? ["quiet", "Classpulse has closed. What it stored is kept; `classpulse sessions` lists it."]
        : ["bad", "The connection to Classpulse is lost; trying again. The figures below are old."],
    );
  }
  if (refused) found.push(["bad", refused]);
  if (state?.trouble) found.push(["bad", state.trouble]);
  if (state && connected && state.source.state === "waiting" && state.phase !== "paused" && state.phase !== "ended") {
    found.push(["warn", state.source.message || `${state.source.name} gives no picture; trying again.`]);
  }
  return found;
}

function withCode(text) {
  return text.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));
}

let noticed = "";

function showNotices() {
  const found = notices();
  document.body.toggleAttribute("data-stale", !connected);
  if (noticed === JSON.stringify(found)) return;
  noticed = JSON.stringify(found);
  byId("notices").replaceChildren(
    ...found.map(([tone, text]) => element("p", { class: "notice", "data-tone": tone }, element("b", {}, TONES[tone]), element("span", {}, ...withCode(text)))),
  );
  announce(found.map(([, text]) => text.replaceAll("`", "")).join(" "));
}

/** Say something to screen readers, when they have finished what they are saying. */
function announce(text) {
  if (text) byId("announcer").textContent = text;
}

function showStatus() {
  const waiting = state.phase === "running" && state.source.state === "waiting";
  const [tone, word] = !connected ? ["bad", "No connection"] : waiting ? ["warn", "Waiting"] : PHASES[state.phase];
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
  setText(byId("pause").lastElementChild, paused ? "Resume" : "Pause");
  setIcon(byId("pause").firstElementChild, paused ? "icon-resume" : "icon-pause");
  byId("stop").disabled = !connected || phase === "ended";
  const stored = state.session_id !== null;
  offer("export", connected && stored);
  // A link without an address is none, and cannot be opened in a new tab either.
  if (stored) byId("report").href = `/api/v1/sessions/${state.session_id}/report.html`;
  else byId("report").removeAttribute("href");
  offer("report", connected && stored);
}

/** So long a share of dropped frames says nothing: while the models are opened, nobody takes any. */
const UNJUDGED_S = 5;

const times = (n) => ["never", "once", "twice"][n] ?? `${number(n)} times`;

function showHealth() {
  const { source } = state;
  const share = source.frames ? ` (${((100 * source.dropped) / source.frames).toFixed(source.dropped ? 1 : 0)}%)` : "";
  setText(byId("rate"), state.results_per_s.toFixed(1));
  setText(byId("age"), `${state.age_ms.toFixed(0)} ms`);
  const judged = state.elapsed_s >= UNJUDGED_S || state.phase === "ended";
  setText(byId("dropped"), judged ? `${number(source.dropped)} of ${number(source.frames)}${share}` : "–");
  const word = { ok: "Good", waiting: "No picture", ended: "Ended" }[source.state] ?? source.state;
  setText(byId("source-health"), source.reopened ? `${word}, reopened ${times(source.reopened)}` : word);
  setText(byId("session"), state.session_id === null ? "Not stored" : `Class ${state.session_id}`);
}

function law() {
  if (state.phase === "asking") return "";
  if (state.jurisdiction === "eu" && !state.exemption) return "Under EU law emotions may not be inferred in education, so faces are only counted.";
  const exempt = state.exemption ? `EU law: emotions are read for ${state.exemption} reasons alone, as has been declared.` : "";
  const group = state.min_group === null ? "" : ` Every figure of the class comes from at least ${state.min_group} people.`;
  if (state.demo) return "The demo's people are made of two public-domain portraits.";
  if (state.jurisdiction === null) return `A trial: nobody has said yet which law is in force here.${group}`;
  return `${exempt}${group}`.trim();
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

async function showStudents() {
  const { showStudents: show } = await part("join-panel");
  show(state, connected);
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
  // A lone view is no tab's panel.
  for (const [name, value] of [["role", "tabpanel"], ["aria-labelledby", "tab-class"]]) {
    if (individual) byId("view-class").setAttribute(name, value);
    else byId("view-class").removeAttribute(name);
  }
  if (individual) showFaces();
}

function show(next) {
  state = next;
  document.body.dataset.phase = state.phase;
  showStatus();
  showControls();
  showViews();
  setClass(state);
  showFollowing(state, connected);
  showAnswers(state);
  showMarks(state, connected);
  showAlerts(state, connected);
  showStudents();
  showNow(state);
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

prepareControls();
prepareChart();
prepareMarks(press);
prepareAlerts(press);
prepareQuiet();
prepareKeys();
listen({
  state: show,
  windows: addWindows,
  connection(there) {
    if (there === connected) return;
    connected = there;
    if (there) refused = "";
    if (state) show(state);
    else showNotices();
  },
});
