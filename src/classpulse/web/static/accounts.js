// Who logs in, for admins: adding people, handing out links, changing and closing accounts.

import { byId, element } from "./dom.js";
import { date, t } from "./i18n.js";
import { prepareCopy, RANKS, sentence, showOnce } from "./ranks.js";
import { prepareTop } from "./school-top.js";
import { ask } from "./server.js";
import { button, chip, confirmed, day, notify } from "./words.js";

let accounts = [];
let open = null; // whose dialog is open

/** Until when somebody is shut out, in words; empty for whoever is not. */
function shut(account) {
  if (!account.locked_until || new Date(account.locked_until) <= new Date()) return "";
  return t("Shut until {time}, after wrong passwords", { time: date(account.locked_until, { hour: "2-digit", minute: "2-digit" }) });
}

function chips(account) {
  const made = [chip(RANKS[account.rank], account.rank === "admin" ? "good" : "quiet")];
  if (!account.active) made.push(chip(t("Closed")));
  else if (!account.has_password && !account.by_oidc) made.push(chip(t("Has not come in yet"), "warn"));
  if (shut(account)) made.push(chip(shut(account), "warn"));
  return made;
}

function entry(account) {
  const manage = button(t("Manage"), () => show(account.id), "small");
  manage.setAttribute("aria-label", t("Manage {name}", { name: account.name }));
  const last = account.last_login_at ? t("last login on {day}", { day: day(account.last_login_at) }) : "";
  const line = [account.login, last].filter(Boolean).join(" · ");
  const made = element("li", { "data-id": account.id }, element("div", {}, element("h2", {}, account.name), element("p", {}, line)), element("div", { class: "chips" }, ...chips(account)), manage);
  if (!account.active) made.dataset.closed = "";
  return made;
}

/** Read everybody again; notices are shown above. */
async function load(...notices) {
  const { data, wrong } = await ask("GET", "/api/v1/accounts");
  if (wrong) return notify(["bad", sentence(wrong)]);
  accounts = data;
  byId("accounts").replaceChildren(...accounts.map(entry));
  notify(...notices);
}

// Somebody new.

function begin() {
  byId("new-form").reset();
  byId("new-error").textContent = "";
  byId("new").showModal();
}

async function add(event) {
  event.preventDefault();
  const { data, wrong } = await ask("POST", "/api/v1/accounts", Object.fromEntries(new FormData(byId("new-form"))));
  byId("new-error").textContent = sentence(wrong ?? "");
  if (wrong) return;
  byId("new").close();
  await load();
  show(data.account.id, data.link);
}

// One account.

function show(id, link = "") {
  open = accounts.find((one) => one.id === id) ?? null;
  if (!open) return byId("account").close();
  byId("account-title").textContent = open.name;
  byId("account-login").textContent = open.login;
  byId("account-error").textContent = "";
  byId("change-name").value = open.name;
  byId("change-rank").value = open.rank;
  byId("shut").hidden = !shut(open);
  byId("shut-until").textContent = shut(open);
  byId("closing").textContent = open.active ? t("Close the account") : t("Open the account again");
  byId("closing-hint").textContent = open.active ? t("They cannot log in, and are logged out at once. It can be opened again.") : t("They can log in again.");
  byId("close-account").textContent = open.active ? t("Close it") : t("Open it");
  byId("invite").disabled = !open.active;
  if (!byId("account").open) byId("account").showModal();
  showOnce("link", link);
}

/** Ask for a change of the open account; what is wrong is said in its dialog. */
async function change(method, path, body, done) {
  const { id } = open;
  byId("account-error").textContent = "";
  const { data, wrong } = await ask(method, `/api/v1/accounts/${id}${path}`, body);
  if (wrong) return refuse(id, wrong);
  await load(["quiet", done]);
  if (isOpen(id)) show(id, data?.link);
}

/** Whether somebody's dialog is still open: an answer may come when another's is, and a link is for one alone. */
const isOpen = (id) => byId("account").open && open?.id === id;

function refuse(id, wrong) {
  if (isOpen(id)) byId("account-error").textContent = sentence(wrong);
  else notify(["bad", sentence(wrong)]);
}

async function save(event) {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(byId("change-form")));
  await change("PATCH", "", given, t("{name} is changed.", { name: given.name }));
}

/** Closing is asked first, as it stands where opening does: a second click would take it back. */
async function closeOrOpen() {
  const { active, name } = open;
  const text = t("They cannot log in, and are logged out at once. It can be opened again.");
  if (active && !(await confirmed(t("Close the account of {name}?", { name }), text, t("Close it")))) return;
  await change("PATCH", "", { active: !active }, active ? t("The account of {name} is closed.", { name }) : t("The account of {name} is open again.", { name }));
}

async function remove() {
  const { id, name } = open;
  const text = t("They cannot log in any more, and their tokens end. Classes that they held stay.");
  if (!(await confirmed(t("Delete the account of {name}?", { name }), text, t("Delete")))) return;
  const { data, wrong } = await ask("DELETE", `/api/v1/accounts/${id}`);
  if (wrong) return refuse(id, wrong);
  if (isOpen(id)) byId("account").close();
  await load(["quiet", t("The account of {name} is deleted.", { name })], ...data.remarks.map((remark) => ["warn", remark]));
  byId("title").focus();
}

function prepare() {
  byId("begin").addEventListener("click", begin);
  byId("new-form").addEventListener("submit", add);
  byId("cancel-new").addEventListener("click", () => byId("new").close());
  byId("change-form").addEventListener("submit", save);
  byId("invite").addEventListener("click", () => change("POST", "/invitation", undefined, t("There is a new link for {name}.", { name: open.name })));
  byId("end-logins").addEventListener("click", () => change("DELETE", "/logins", undefined, t("{name} is logged out everywhere.", { name: open.name })));
  byId("let-in").addEventListener("click", () => change("PATCH", "", { active: true }, t("{name} can log in again.", { name: open.name })));
  byId("close-account").addEventListener("click", closeOrOpen);
  byId("remove").addEventListener("click", remove);
  byId("done").addEventListener("click", () => byId("account").close());
  byId("account").addEventListener("close", () => document.querySelector(`[data-id="${open?.id}"] button`)?.focus());
  prepareCopy("link");
}

prepare();
if (await prepareTop()) await load();
