// Students who take part by link, as the teacher sees them: the link to be photographed, who is in, whose hand is up.

import { arrange, byId, element, fetched, icon, setText } from "./dom.js";
import { n, t } from "./i18n.js";
import { isObserver } from "./role.js";
import { ask } from "./server.js";

const SHOWN_HANDS = 6;

let state = null;
let people = [];
let asked = "0 0 0"; // nobody takes part: there is nothing to fetch

const path = (name) => `/api/v1/${name}`;
const nameOf = (one) => one.name || t("No name");
const ways = () => ({ answers: t("answers only"), device: t("camera, read on the device"), pictures: t("camera, read here") });

function button(text, act, className = "button") {
  const made = element("button", { type: "button", class: className }, text);
  made.addEventListener("click", act);
  return made;
}

/** Code in two halves, so that it can be read out and typed. */
const halves = (code) => `${code.slice(0, 4)} ${code.slice(4)}`;

// The row on the page.

const row = {};

function buildRow() {
  row.summary = element("p", { class: "students-summary" });
  row.hands = element("ul", { class: "hands", "aria-label": t("Raised hands") });
  row.open = button(element("span", {}), openDialog);
  row.open.prepend(icon("icon-students"));
  row.said = element("p", { class: "visually-hidden", role: "status" });
  byId("students").replaceChildren(row.summary, row.hands, row.open, row.said);
}

async function lower(one) {
  await ask("POST", path(`participants/${one.participant}/hand`), { up: false });
}

function handChip(one) {
  const chip = button(element("span", {}, nameOf(one)), () => lower(one), "hand");
  chip.prepend(icon("icon-hand"));
  chip.title = t("Lower this hand");
  return element("li", {}, chip);
}

function showRow() {
  const { present, hands, open } = state.participants;
  const idle = !open && present === 0;
  setText(row.summary, idle ? t("Students can say how they follow, from their own phones or laptops.") : n("{n} student takes part by link", "{n} students take part by link", present));
  row.summary.toggleAttribute("data-idle", idle);
  setText(row.open.lastElementChild, open ? t("Show the link") : t("Let students join"));
  row.open.hidden = isObserver();
  row.open.disabled = !state.connected || state.phase === "ended" || state.phase === "asking";
  showHands(hands);
  setText(row.said, hands ? n("{n} hand is up", "{n} hands are up", hands) : "");
}

/** The raised hands, made anew only where they change: a state comes four times a second, and a click takes longer. */
function showHands(hands) {
  const raised = people.filter((one) => one.hand_s !== null && one.present).slice(0, SHOWN_HANDS);
  const more = isObserver() ? 0 : Math.max(0, hands - raised.length);
  const wanted = JSON.stringify([raised.map((one) => [one.participant, one.name]), more]);
  if (wanted === row.shown) return;
  row.shown = wanted;
  const chips = raised.map(handChip);
  if (more) chips.push(element("li", { class: "more-hands" }, n("{n} more hand", "{n} more hands", more)));
  row.hands.replaceChildren(...chips);
  row.hands.hidden = chips.length === 0;
}

// The dialog with the link.

const dialog = {};

function buildDialog() {
  const box = byId("students-dialog");
  dialog.box = box;
  dialog.wrong = element("p", { class: "form-error", role: "alert" });
  dialog.qr = element("img", { class: "qr", alt: t("The link as a picture to be photographed"), width: "280", height: "280" });
  dialog.code = element("p", { class: "join-code" });
  dialog.url = element("a", { class: "join-url", target: "_blank", rel: "noopener" });
  dialog.hint = element("p", { class: "join-hint" });
  dialog.copy = button(t("Copy the link"), copy, "button small");
  dialog.renew = button(t("New link"), () => change("POST", "join/renew"), "button small");
  dialog.close = button(t("Close the link"), () => change("DELETE", "join"), "button small");
  dialog.list = element("ul", { class: "people-in", tabindex: "0", "aria-label": t("Students who take part") });
  dialog.none = element("p", { class: "join-hint" }, t("Nobody has joined yet."));
  dialog.count = element("summary", {});
  const done = button(t("Done"), () => box.close(), "button primary");
  dialog.link = element(
    "div",
    { class: "join-link" },
    dialog.qr,
    element("div", {}, element("p", { class: "join-step" }, t("Photograph this, or open")), dialog.url, element("p", { class: "join-step" }, t("with the code")), dialog.code, element("div", { class: "join-buttons" }, dialog.copy, dialog.renew, dialog.close)),
  );
  box.replaceChildren(
    element("h2", { id: "students-title" }, t("Let students join")),
    dialog.hint,
    dialog.link,
    dialog.wrong,
    // Closed at first: the link is put on the board, and names are not for everybody's eyes.
    element("details", { class: "people-box" }, dialog.count, dialog.none, dialog.list),
    element("div", { class: "dialog-actions" }, done),
  );
}

async function remove(one) {
  const { isToGo } = await fetched("remove-question");
  if (!(await isToGo(nameOf(one)))) return;
  dialog.count.focus({ preventScroll: true }); // its own button goes with the row
  const { wrong } = await ask("DELETE", path(`participants/${one.participant}`));
  setText(dialog.wrong, wrong ?? "");
}

async function openDialog() {
  if (!dialog.box) buildDialog();
  showPeople();
  dialog.box.showModal();
  await change("POST", "join");
}

let newest = null;

async function change(method, what) {
  const mine = ask(method, path(what));
  newest = mine;
  const answer = await mine;
  if (mine !== newest) return; // the link is another one by now
  setText(dialog.wrong, answer.wrong ?? "");
  if (!answer.wrong) showLink(answer.data ?? { code: "" });
}

function showLink(link) {
  const open = link.code !== "";
  dialog.link.hidden = !open;
  if (open) {
    dialog.qr.src = new URL(`../${link.qr}`, import.meta.url).href;
    setText(dialog.code, halves(link.code));
    dialog.url.href = link.url;
    setText(dialog.url, link.url.replace(/^http:\/\//, "").replace(`/${link.code}`, ""));
  }
  const closed = t("The link is closed: nobody else can join. Who is in stays in.");
  const alone = t("Only this computer can open this link. For students' devices start Classpulse with --set web.host=0.0.0.0, or behind your school's address.");
  const atSchool = t("Only the server's own computer can open this link: ask whoever runs the server to let others in.");
  const unreached = document.documentElement.hasAttribute("data-school") ? atSchool : alone;
  setText(dialog.hint, !open ? closed : link.reachable ? "" : unreached);
  dialog.hint.toggleAttribute("data-warn", open && !link.reachable);
  dialog.hint.hidden = dialog.hint.textContent === "";
}

async function copy() {
  try {
    await navigator.clipboard.writeText(dialog.url.href);
    setText(dialog.copy, t("Copied"));
  } catch {
    setText(dialog.copy, t("Copy it by hand"));
  }
  setTimeout(() => setText(dialog.copy, t("Copy the link")), 2000);
}

function person(one) {
  const what = element("span", { class: "person-way" }, one.present ? ways()[one.way] : t("not connected"));
  const name = element("b", { dir: "auto" }, nameOf(one));
  name.toggleAttribute("data-none", !one.name);
  const made = element("li", {}, element("span", { class: "person-name" }, name, what));
  made.toggleAttribute("data-gone", !one.present);
  if (one.hand_s !== null) {
    const hand = button(t("Lower hand"), () => lower(one), "button small");
    hand.prepend(icon("icon-hand"));
    made.append(hand);
  }
  const out = button(t("Remove"), () => remove(one), "button small danger");
  out.setAttribute("aria-label", t("Remove {name}", { name: nameOf(one) }));
  made.append(out);
  return made;
}

function showPeople() {
  if (!dialog.box) return;
  setText(dialog.count, n("{n} student takes part", "{n} students take part", state.participants.present));
  dialog.none.hidden = people.length > 0;
  dialog.list.hidden = people.length === 0;
  arrange(dialog.list, people.map(entry));
}

const entries = new WeakMap(); // what a student's line in the list shows

/** A student's line: the one that is there, where nothing of it has changed, so that it can be pressed meanwhile. */
function entry(one) {
  const shows = JSON.stringify({ ...one, hand_s: one.hand_s !== null });
  const there = [...dialog.list.children].find((each) => entries.get(each) === shows);
  const made = there ?? person(one);
  entries.set(made, shows);
  return made;
}

/** Show who takes part; the list itself is fetched when it has changed. */
export async function showStudents(now, connected) {
  if (!row.summary) buildRow();
  state = { participants: now.participants, phase: now.phase, connected };
  byId("students").hidden = ["asking", "ended"].includes(now.phase) || (now.participants.present === 0 && isObserver());
  if (now.phase === "ended") for (const box of [byId("remove-dialog"), dialog.box]) box?.close();
  const { version, present, hands } = now.participants;
  const wanted = `${version} ${present} ${hands}`;
  // Who only watches is not told names, nor whose hand is up; counts they have.
  if (wanted !== asked && connected && !isObserver()) {
    asked = wanted;
    const answer = await ask("GET", path("participants"));
    if (wanted !== asked) return; // a newer list is on its way
    if (answer.data) people = answer.data;
    else if (answer.status === 0) asked = "";
    showPeople();
  }
  showRow();
}
