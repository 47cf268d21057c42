// The classes of a school: mine, how they do, beginning and ending them, and new ones.

import { again } from "./again.js";
import { prepareQuestion } from "./ask.js";
import { begin, end, isLive, lineOf, link, phaseOf, phaseWord, showPill, sourceWord } from "./class-card.js";
import { arrange, byId, element, setText } from "./dom.js";
import { t } from "./i18n.js";
import { sentence } from "./ranks.js";
import { prepareTop } from "./school-top.js";
import { ask, at } from "./server.js";
import { button, day, notify, withCode } from "./words.js";

const EVERY_MS = 2_000;

let school = null; // what the server said last
let said = []; // what is to be read above the classes

const cards = new Map(); // by the class's address

/** A class as a card; what changes while it runs is put into the places that this makes. */
function makeCard(course) {
  const name = element("h2", {}, element("a", { href: at(`/classes/${course.slug}`) }));
  const parts = {
    name: name.firstElementChild,
    pill: element("span", { class: "pill" }),
    source: element("p", { class: "of", dir: "auto" }),
    line: element("p", { class: "line num" }),
    trouble: element("p", { class: "trouble" }),
    start: button(t("Start"), () => act(course.slug, begin), "primary"),
    open: link(t("Open"), at(`/c/${course.slug}/`), "primary"),
    end: button(t("End"), () => act(course.slug, end), "danger"),
    more: link(t("Details"), at(`/classes/${course.slug}`)),
  };
  const actions = element("div", { class: "page-actions" }, parts.open, parts.start, parts.end, parts.more);
  parts.card = element("li", { class: "card class-card", "data-slug": course.slug }, element("div", { class: "card-head" }, name, parts.pill), parts.source, parts.line, parts.trouble, actions);
  return parts;
}

function showCard(course) {
  if (!cards.has(course.slug)) cards.set(course.slug, makeCard(course));
  const parts = cards.get(course.slug);
  const live = isLive(course);
  const teaches = course.role === "teacher";
  if (parts.phase !== undefined && parts.phase !== phaseOf(course)) byId("announcer").textContent = `${course.name}: ${phaseWord(course)}.`;
  parts.phase = phaseOf(course);
  setText(parts.name, course.name);
  showPill(parts.pill, course);
  setText(parts.source, sourceWord(course.source));
  setText(parts.line, lineOf(course));
  setText(parts.trouble, sentence(course.run?.trouble ?? ""));
  parts.start.hidden = live || !teaches;
  parts.open.hidden = !live;
  parts.end.hidden = !live || !teaches;
  for (const [part, label] of [["start", t("Start {name}", { name: course.name })], ["open", t("Open {name}", { name: course.name })], ["end", t("End {name}", { name: course.name })], ["more", t("Details of {name}", { name: course.name })]]) {
    parts[part].setAttribute("aria-label", label);
  }
  return parts.card;
}

function makeOther(course) {
  const pill = element("span", { class: "pill" });
  showPill(pill, course);
  const details = link(t("Manage"), at(`/classes/${course.slug}`), "small");
  details.setAttribute("aria-label", t("Manage {name}", { name: course.name }));
  return element("li", {}, element("h3", {}, course.name), pill, details);
}

const others = new Map(); // by what they show

/** A class of somebody else: the entry that is there, where nothing of it has changed, so that nobody loses their place. */
function showOther(course) {
  const shows = JSON.stringify([course.slug, course.name, phaseOf(course)]);
  if (!others.has(shows)) others.set(shows, makeOther(course));
  return others.get(shows);
}

function show() {
  const mine = school.courses.filter((course) => course.role);
  const rest = school.courses.filter((course) => !course.role);
  arrange(byId("classes"), mine.map(showCard));
  arrange(byId("others"), rest.map(showOther));
  byId("others-box").hidden = !rest.length;
  byId("empty").hidden = mine.length > 0 || rest.length > 0;
  setText(byId("empty"), school.rank === "observer" ? t("You watch no class yet: ask a teacher to add you to one.") : t("There is no class yet. Make one, and start it when your lesson begins."));
  byId("begin").hidden = school.rank === "observer";
  const unanswered = school.law.jurisdiction === null;
  byId("ask").hidden = !unanswered || school.rank !== "admin";
  showLaw(school.law);
  const notice = unanswered && school.rank !== "admin" && mine.length ? t("Nobody has said yet which law is in force here. Until an admin has, only the demo can run.") : "";
  tell(["warn", notice], ["bad", school.trouble ? sentence(school.trouble) : ""], ...said);
}

const LAWS = { eu: t("European Union"), other: t("Somewhere else"), research: t("Approved research") };
const EXEMPTIONS = { medical: t("Medical reasons"), safety: t("Safety reasons") };

/** For admins: which law is in force, who said so, and how it is changed, which is not done on a page. */
function showLaw({ jurisdiction, exemption, answered_by: name, answered_at: when }) {
  byId("law-box").hidden = school.rank !== "admin" || jurisdiction === null;
  if (byId("law-box").hidden) return;
  const law = [LAWS[jurisdiction], EXEMPTIONS[exemption]].filter(Boolean).join(", ");
  const who = name ? t("{law}. Said by {name} on {day}.", { law, name, day: day(when) }) : t("{law}. Set by whoever runs the server, in its settings.", { law });
  if (byId("law-said").textContent === who) return;
  byId("law-said").textContent = who;
  byId("law-how").replaceChildren(...withCode(t("Whoever runs the server changes it there, by `classpulse policy set`, and sees every answer by `classpulse policy`.")));
}

let told = "";

function tell(...notices) {
  if (told === JSON.stringify(notices)) return;
  told = JSON.stringify(notices);
  notify(...notices);
}

async function look() {
  const { data, wrong, status } = await ask("GET", "/api/v1/school");
  if (status === 401) return location.replace(at("/login"));
  if (wrong) return tell(["bad", sentence(wrong)]);
  school = data;
  show();
}

async function act(slug, what) {
  const course = school.courses.find((one) => one.slug === slug);
  const card = cards.get(slug);
  card.start.disabled = true;
  const wrong = await what(course);
  card.start.disabled = false;
  if (wrong === null) return;
  said = wrong ? [["bad", `${course.name}: ${sentence(wrong)}`]] : [];
  await look();
  if (!wrong) (what === begin ? card.open : card.start).focus();
}

// A new class.

function arrangeNew() {
  const kind = byId("new-form").elements.kind.value;
  for (const [box, input, wanted] of [["address-box", "new-address", kind === "stream"], ["number-box", "new-number", kind === "webcam"]]) {
    byId(box).hidden = !wanted;
    byId(input).disabled = !wanted;
  }
}

function openNew() {
  byId("new-form").reset();
  const kinds = ["join", "stream", "webcam", "demo"];
  for (const kind of kinds) byId(`offer-${kind}`).hidden = !school.sources.includes(kind);
  const first = kinds.find((kind) => school.sources.includes(kind));
  if (first) byId("new-form").elements.kind.value = first;
  byId("teacher-box").hidden = school.rank !== "admin";
  byId("new-error").textContent = "";
  arrangeNew();
  byId("new").showModal();
}

async function make(event) {
  event.preventDefault();
  const kind = byId("new-form").elements.kind.value;
  const source = { stream: byId("new-address").value, webcam: byId("new-number").value }[kind] ?? kind;
  const teacher = byId("new-teacher").value.trim();
  const { data, wrong } = await ask("POST", "/api/v1/courses", { name: byId("new-name").value, source, ...(teacher ? { teacher } : {}) });
  byId("new-error").textContent = sentence(wrong ?? "");
  if (wrong) return;
  byId("new").close();
  said = [["quiet", t("The class {name} is made.", { name: data.name })]];
  await look();
  cards.get(data.slug)?.start.focus();
}

async function answer(_what, body) {
  const { wrong } = await ask("POST", "/api/v1/law", body);
  if (wrong) return sentence(wrong);
  said = [["quiet", t("Your answer is saved.")]];
  await look();
  byId("title").focus(); // the question, and what was focused in it, is gone
  return "";
}

byId("begin").addEventListener("click", openNew);
byId("cancel-new").addEventListener("click", () => byId("new").close());
byId("new-form").addEventListener("change", arrangeNew);
byId("new-form").addEventListener("submit", make);
prepareQuestion(answer);
const account = await prepareTop();
if (account) byId("answered-by").value = account.name;
await look();
again(() => document.hidden || look(), EVERY_MS);
document.addEventListener("visibilitychange", () => document.hidden || look());
