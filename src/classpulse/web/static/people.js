// The people on file: who they are, what they agreed to, and what can be done for them.

import { byId, element } from "./dom.js";
import { closeForm, openForm, prepareForm } from "./enrol.js";
import { t } from "./i18n.js";
import { prepareCopy, showOnce } from "./ranks.js";
import { ask, at } from "./server.js";
import { closeStudio, openStudio, prepareStudio } from "./studio.js";
import { button, chip, confirmed, day, givenBy, notify, pictures, PURPOSES, standing } from "./words.js";

let register = { people: [], may_enrol: false, reason: "" };
let open = null; // whose dialog is open
let studied = null; // whose pictures are taken, and whether they are new

const standingFor = (person, purpose) => person.consents.find((one) => one.purpose === purpose && one.stands);

function chips(person) {
  const recognised = standingFor(person, "recognition");
  const made = [recognised ? chip(t("Recognised until {day}", { day: day(recognised.expires_at) }), person.pictures ? "good" : "quiet") : chip(t("Not recognised"))];
  if (standingFor(person, "individual") && recognised) made.push(chip(t("Shown by name")));
  if (person.pictures) made.push(chip(pictures(person.pictures)));
  else if (recognised) made.push(chip(t("No picture yet"), "warn"));
  return made;
}

function entry(person) {
  const manage = button(t("Manage"), () => showPerson(person.id), "small");
  manage.setAttribute("aria-label", t("Manage {name}", { name: person.name }));
  const newest = person.consents[0];
  return element(
    "li",
    { "data-id": person.id },
    element("div", {}, element("h3", {}, person.name), element("p", {}, newest ? `${givenBy(newest, person.name)}${newest.stands ? "" : `; ${standing(newest)}`}` : t("No consent on record"))),
    element("div", { class: "chips" }, ...chips(person)),
    manage,
  );
}

function show() {
  byId("register").replaceChildren(...register.people.map(entry));
  byId("empty").hidden = register.people.length > 0;
  const idle = byId("consent").hidden && byId("camera").hidden;
  byId("begin").hidden = !register.may_enrol || !idle;
  byId("on-file").hidden = !idle;
}

/** Read the register again; notices are shown above it. */
async function load(...notices) {
  const { data, wrong } = await ask("GET", "/api/v1/people");
  if (wrong) {
    byId("on-file").hidden = byId("begin").hidden = true;
    notify(...notices, ["bad", wrong]);
    return false;
  }
  register = data;
  const law = register.may_enrol ? "" : `${register.reason} ${t("What is on file can be seen, taken back and deleted all the same.")}`;
  notify(...notices, ["warn", law]);
  show();
  return true;
}

// One person.

function consentRow(consent) {
  const what = element("p", {}, PURPOSES[consent.purpose], element("small", {}, `${givenBy(consent, open.name)}; ${standing(consent)}`));
  if (consent.note) what.append(element("small", {}, consent.note));
  const row = element("div", { class: "row" }, what);
  if (consent.stands) row.append(button(t("Withdraw"), () => withdraw(consent.purpose), "small"));
  return row;
}

function showPerson(id) {
  const person = register.people.find((one) => one.id === id);
  if (!person) return byId("person").close();
  open = person;
  byId("person-title").textContent = person.name;
  byId("person-error").textContent = "";
  const renew = element("div", { class: "row" }, element("p", {}, t("Give a new consent"), element("small", {}, t("For longer, or also to be shown by name."))), button(t("Renew"), renewConsent, "small"));
  byId("person-consents").replaceChildren(...person.consents.map(consentRow), ...(register.may_enrol ? [renew] : []));
  byId("person-pictures").textContent = person.pictures ? t("{pictures}, stored as numbers", { pictures: pictures(person.pictures) }) : t("None yet: nobody is recognised without.");
  byId("more").disabled = !register.may_enrol || !standingFor(person, "recognition");
  byId("link-box").hidden = true;
  byId("person-export").href = `api/v1/people/${person.id}/export`;
  if (!byId("person").open) byId("person").showModal();
}

function renewConsent() {
  byId("person").close();
  openForm(open);
  show();
}

/** Whether somebody's dialog is still open: an answer may come when another's is, and a link is for one alone. */
const isOpen = (id) => byId("person").open && open.id === id;

function refuse(id, wrong) {
  if (isOpen(id)) byId("person-error").textContent = wrong;
  else notify(["bad", wrong]);
}

async function withdraw(purpose) {
  const { id, name } = open;
  const text = purpose === "recognition"
    ? t("They are not recognised any more: their face as numbers is deleted, and what was noted of them becomes nobody's.")
    : t("They are not shown by name any more.");
  if (!(await confirmed(t("Withdraw this consent of {name}?", { name }), text, t("Withdraw")))) return;
  const { data, wrong } = await ask("POST", `/api/v1/people/${id}/withdraw`, { purpose });
  if (wrong) return refuse(id, wrong);
  await load(["quiet", t("Withdrawn.")], ...data.remarks.map((text) => ["warn", text]));
  if (isOpen(id)) showPerson(id);
}

async function forget(person, done = t("Forgotten: nothing of {name} is left.", { name: person.name })) {
  const text = t("All that is stored about them is deleted: name, consents, face, and when they were there. It cannot be undone.");
  if (!(await confirmed(t("Forget {name}?", { name: person.name }), text, t("Forget")))) return false;
  const { data, wrong } = await ask("POST", `/api/v1/people/${person.id}/forget`, { confirm: true });
  if (isOpen(person.id)) byId("person").close();
  await load(wrong ? ["bad", wrong] : ["quiet", done], ...(data?.remarks ?? []).map((text) => ["warn", text]));
  return !wrong;
}

async function makeLink() {
  const { id } = open;
  const { data, wrong } = await ask("POST", `/api/v1/people/${id}/link`, { hours: 24 });
  if (wrong) return refuse(id, wrong);
  if (isOpen(id)) showOnce("link", at(data.path));
}

// Enrolment.

function studio(person, isNew) {
  closeForm();
  byId("person").close();
  studied = { person, isNew };
  openStudio(person);
  byId("undo").hidden = !isNew;
  show();
}

async function leave(...notices) {
  closeForm();
  closeStudio();
  await load(...notices);
  byId("title").focus();
}

async function finish() {
  const { person } = studied;
  closeStudio();
  await load();
  const now = register.people.find((one) => one.id === person.id);
  const said = now?.pictures
    ? ["quiet", t("{name} is enrolled, with {pictures}.", { name: person.name, pictures: pictures(now.pictures) })]
    : ["warn", t("{name} has agreed and has no picture yet: take one to have them recognised.", { name: person.name })];
  await leave(said);
}

async function changeMind() {
  const { person } = studied;
  const done = t("Nothing of it is left.");
  if (await forget(person, done)) await leave(["quiet", done]);
}

function prepare() {
  prepareForm((person, isNew) => (isNew ? studio(person, true) : leave(["quiet", t("The new consent of {name} is on record.", { name: person.name })])), () => leave());
  prepareStudio();
  byId("begin").addEventListener("click", () => {
    notify();
    openForm();
    show();
  });
  byId("done").addEventListener("click", finish);
  byId("undo").addEventListener("click", changeMind);
  byId("more").addEventListener("click", () => studio(open, false));
  byId("link").addEventListener("click", makeLink);
  prepareCopy("link");
  byId("forget").addEventListener("click", () => forget(open));
  byId("close-person").addEventListener("click", () => byId("person").close());
  byId("person").addEventListener("close", () => document.querySelector(`[data-id="${open?.id}"] button`)?.focus());
}

prepare();
await load();
