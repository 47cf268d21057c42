// One's own account: password, tokens of programs, and the way out of every browser.

import { byId, element } from "./dom.js";
import { t } from "./i18n.js";
import { prepareCopy, RANKS, sentence, showOnce } from "./ranks.js";
import { prepareTop } from "./school-top.js";
import { ask, at } from "./server.js";
import { button, confirmed, day, notify } from "./words.js";

const MAY = {
  admin: t("Manage accounts and classes"),
  teacher: t("Run classes of your own"),
  observer: t("Watch the classes that you were added to"),
};

function showAccount(account) {
  byId("name").textContent = account.name;
  byId("login").textContent = account.login;
  byId("rank").textContent = `${RANKS[account.rank]}: ${MAY[account.rank]}`;
  byId("username").value = account.login;
  byId("password-card").hidden = !account.has_password;
}

async function changePassword(event) {
  event.preventDefault();
  byId("password-error").textContent = "";
  const { wrong } = await ask("POST", "/api/v1/account/password", { old: byId("old").value, new: byId("new").value });
  byId("password-error").textContent = sentence(wrong ?? "");
  if (wrong) return byId("old").focus();
  byId("password-form").reset();
  notify(["quiet", t("The password is changed. Every other browser is logged out.")]);
  byId("title").focus();
}

function tokenEntry(token) {
  const used = token.last_used_at ? t("last used on {day}", { day: day(token.last_used_at) }) : t("not used yet");
  const end = button(t("Revoke"), () => endToken(token), "small");
  end.setAttribute("aria-label", t("Revoke the token {label}", { label: token.label }));
  const until = t("Until {day}", { day: day(token.expires_at) });
  return element("li", {}, element("div", {}, element("h3", {}, token.label), element("p", {}, `${until}; ${used}`)), end);
}

async function showTokens() {
  const { data, wrong } = await ask("GET", "/api/v1/account/tokens");
  if (wrong) return notify(["bad", wrong]);
  byId("tokens").replaceChildren(...data.map(tokenEntry));
}

async function makeToken(event) {
  event.preventDefault();
  byId("token-error").textContent = "";
  const { data, wrong } = await ask("POST", "/api/v1/account/tokens", { label: byId("label").value, days: Number(byId("days").value) });
  byId("token-error").textContent = sentence(wrong ?? "");
  if (wrong) return;
  byId("label").value = "";
  showOnce("token", data.token); // before all that may fail: it is shown this once
  await showTokens();
}

async function endToken(token) {
  const text = t("What asks with it is refused from now on.");
  if (!(await confirmed(t("Revoke the token {label}?", { label: token.label }), text, t("Revoke it")))) return;
  const { wrong } = await ask("DELETE", `/api/v1/account/tokens/${token.id}`);
  showOnce("token", "");
  await showTokens();
  notify(wrong ? ["bad", sentence(wrong)] : ["quiet", t("The token is revoked.")]);
  byId("title").focus();
}

async function logOutEverywhere() {
  const text = t("Every browser in which you are logged in asks for your login again, this one too.");
  if (!(await confirmed(t("Log out everywhere?"), text, t("Log out")))) return;
  const { wrong } = await ask("DELETE", "/api/v1/account/logins");
  if (wrong) notify(["bad", sentence(wrong)]);
  else location.replace(at("/login"));
}

byId("password-form").addEventListener("submit", changePassword);
byId("token-form").addEventListener("submit", makeToken);
byId("everywhere").addEventListener("click", logOutEverywhere);
prepareCopy("token");
const account = await prepareTop();
if (account) {
  showAccount(account);
  await showTokens();
}
