// The login: by a password, or by the school's own login.

import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { prepareLook } from "./password-field.js";
import { sentence } from "./ranks.js";
import { ask, at } from "./server.js";

const PLAIN_PATH = /^[\w~-][\w.~-]*(\/[\w~-][\w.~-]*)*\/?$/; // of a page of ours, and never of another site
const SAID = {
  out: t("You are logged out. Log in to go on."),
  away: t("The school's own login does not answer at the moment. Try again, or log in with a password."),
  refused: t("That did not work. Try again."),
  stranger: t("Nobody has invited you here. Ask whoever manages the accounts."),
  closed: t("Your account is closed. Ask whoever manages the accounts."),
};

const asked = new URLSearchParams(location.search);
const next = PLAIN_PATH.test(asked.get("next") ?? "") ? asked.get("next") : "";

function prepare() {
  byId("error").textContent = SAID[asked.get("said")] ?? "";
  prepareLook();
  byId("form").addEventListener("submit", logIn);
}

async function logIn(event) {
  event.preventDefault();
  byId("error").textContent = "";
  byId("go").disabled = true;
  const { wrong } = await ask("POST", "/api/v1/login", { login: byId("login").value, password: byId("password").value });
  if (wrong === undefined) return location.replace(at(`/${next}`));
  byId("go").disabled = false;
  byId("error").textContent = sentence(wrong);
  byId("password").value = "";
  byId("password").focus();
}

prepare();
const { data } = await ask("GET", "/api/v1/login");
if (data?.oidc) {
  byId("oidc").textContent = t("Log in with {what}", { what: data.oidc_name ?? t("the school's account") });
  byId("oidc").href = at(`/login/oidc${next ? `?next=${encodeURIComponent(next)}` : ""}`);
  byId("go").classList.remove("primary");
  byId("other").hidden = false;
}
