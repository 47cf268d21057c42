// One class of a school: when it was held, who belongs to it, and what it is.

import { again } from "./again.js";
import { begin, end, isLive, lineOf, link, showPill, sourceWord } from "./class-card.js";
import { byId, clock, element, setText, unnumbered } from "./dom.js";
import { t } from "./i18n.js";
import { RANKS, sentence } from "./ranks.js";
import { prepareTop } from "./school-top.js";
import { ask, at } from "./server.js";
import { button, chip, confirmed, moment, notify } from "./words.js";

const slug = location.pathname.split("/").filter(Boolean).pop();
const path = `/api/v1/courses/${slug}`;
const EVERY_MS = 3_000;

let me = null; // whose browser this is
let course = null;
let away = ""; // why the class could not be read the last time
let trouble = ""; // of the class, as it stands above, without its numbers

function showRun() {
  byId("pill").hidden = false;
  showPill(byId("pill"), course);
  const live = isLive(course);
  const teaches = course.role === "teacher";
  setText(byId("line"), [lineOf(course) || sourceWord(course.source), course.host ? t("on {host}", { host: course.host }) : ""].filter(Boolean).join(" · "));
  byId("open").href = at(`/c/${slug}/`);
  byId("open").hidden = !live || !course.role;
  byId("start").hidden = live || !teaches;
  byId("end").hidden = !live || !course.may_edit;
  byId("remove").disabled = live;
}

const HOW = { stopped: "", ended: "", failed: t("broke off"), torn: t("its process ended") };

function heldEntry(one) {
  const length = one.length_s ? clock(one.length_s) : "";
  const state = one.ended_at ? HOW[one.ended_how] ?? "" : t("running");
  const where = at(`/c/${slug}/api/v1/sessions/${one.id}`);
  const report = link(t("Report"), `${where}/report.html`, "small");
  report.setAttribute("aria-label", t("Report of {when}", { when: moment(one.started_at) }));
  report.target = "_blank";
  report.rel = "noopener";
  const csv = link(t("CSV"), `${where}/windows.csv`, "small");
  csv.setAttribute("aria-label", t("CSV of {when}", { when: moment(one.started_at) }));
  csv.download = "";
  const about = [length, state, t("Class {id}", { id: one.id })].filter(Boolean).join(" · ");
  return element("li", {}, element("div", {}, element("h3", {}, moment(one.started_at)), element("p", { class: "num" }, about)), element("div", { class: "page-actions" }, report, csv));
}

async function showHeld() {
  byId("held-box").hidden = !course.role;
  if (!course.role) return;
  const { data } = await ask("GET", `${path}/sessions`);
  if (!data) return; // that it was never held is not known
  byId("held").replaceChildren(...data.map(heldEntry));
  byId("never").hidden = data.length > 0;
}

function memberEntry(member) {
  const entry = element("li", {}, element("div", {}, element("h3", {}, member.name), element("p", {}, member.login)), element("div", { class: "chips" }, chip(RANKS[member.role], member.role === "teacher" ? "good" : "quiet")));
  if (course.may_edit) {
    const out = button(t("Take out"), () => takeOut(member), "small");
    out.setAttribute("aria-label", t("Take {name} out of the class", { name: member.name }));
    entry.append(out);
  }
  return entry;
}

/** Fill a field, unless somebody has typed something else into it meanwhile. */
function fill(field, value) {
  if (field.value === field.defaultValue) field.value = value;
  field.defaultValue = value;
}

function show() {
  document.title = `${course.name} · Classpulse`;
  setText(byId("title"), course.name);
  byId("members").replaceChildren(...course.members.map(memberEntry));
  for (const box of ["member-form", "remove-box"]) byId(box).hidden = !course.may_edit;
  byId("edit-box").hidden = !course.may_edit;
  fill(byId("edit-name"), course.name);
  fill(byId("edit-source"), course.source ?? "");
  byId("edit-source").placeholder = course.source === null ? t("unchanged") : "";
  byId("content").hidden = false;
  showRun();
}

/** Read the class; with `whole` all of its page is made anew, and without it only how it does. */
async function load(whole, ...notices) {
  const { data, wrong, status } = await ask("GET", path);
  if (status === 401) return location.replace(at("/login"));
  if (wrong) {
    byId("content").hidden = status === 404 || byId("content").hidden;
    if (whole || wrong !== away) notify(["bad", sentence(wrong)]);
    away = wrong;
    return;
  }
  const before = course?.run?.phase;
  course = data;
  if (whole) show();
  else showRun();
  if (whole || before !== course.run?.phase) await showHeld();
  const now = sentence(course.run?.trouble ?? "");
  if (whole || notices.length || away || unnumbered(now) !== trouble) notify(...notices, ["bad", now]);
  [away, trouble] = ["", unnumbered(now)];
}

async function act(what) {
  const wrong = await what(course);
  if (wrong === null) return;
  await load(false, ["bad", sentence(wrong)]);
}

async function addMember(event) {
  event.preventDefault();
  const login = byId("member-login").value.trim();
  const { wrong } = await ask("PUT", `${path}/members/${encodeURIComponent(login)}`, { role: byId("member-role").value });
  byId("member-error").textContent = sentence(wrong ?? "");
  if (wrong) return;
  byId("member-login").value = "";
  await load(true);
  byId("member-login").focus();
}

async function takeOut(member) {
  const title = t("Take {name} out of the class", { name: member.name });
  const myself = member.login === me?.login;
  const text = myself ? t("You do not see any more what happens in it.") : t("They do not see it any more.");
  if (!(await confirmed(`${title}?`, text, t("Take out")))) return;
  const { wrong } = await ask("DELETE", `${path}/members/${encodeURIComponent(member.login)}`);
  byId("member-error").textContent = sentence(wrong ?? "");
  if (wrong) return;
  if (myself && me.rank !== "admin") return location.replace(at("/"));
  await load(true);
  byId("title").focus();
}

async function save(event) {
  event.preventDefault();
  const [name, typed] = [byId("edit-name").value, byId("edit-source").value];
  const source = typed.trim();
  const { wrong } = await ask("PATCH", path, { name, ...(source && source !== course.source ? { source } : {}) });
  byId("edit-error").textContent = sentence(wrong ?? "");
  if (wrong) return;
  [byId("edit-name").defaultValue, byId("edit-source").defaultValue] = [name, typed];
  await load(true, ["quiet", t("Saved.")]);
}

async function remove() {
  if (!(await confirmed(t("Remove {name}?", { name: course.name }), t("It cannot be undone."), t("Remove the class")))) return;
  const { wrong } = await ask("DELETE", path);
  if (wrong) notify(["bad", sentence(wrong)]);
  else location.replace(at("/"));
}

byId("start").addEventListener("click", () => act(begin));
byId("end").addEventListener("click", () => act(end));
byId("member-form").addEventListener("submit", addMember);
byId("edit-form").addEventListener("submit", save);
byId("remove").addEventListener("click", remove);
me = await prepareTop();
await load(true);
again(() => document.hidden || !course || load(false), EVERY_MS);
