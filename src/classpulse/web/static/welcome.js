// An invitation: its owner chooses a password, and is in.

import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { prepareLook } from "./password-field.js";
import { sentence } from "./ranks.js";
import { ask, at } from "./server.js";

// What follows # never left the browser so far. It goes out of the address at once, as nobody else is to copy it.
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname + location.search);

function refuse(wrong) {
  byId("title").textContent = t("This link leads nowhere");
  byId("lead").textContent = sentence(wrong);
  byId("form").hidden = true;
  byId("back").hidden = false;
  byId("title").focus();
}

async function accept(event) {
  event.preventDefault();
  byId("error").textContent = "";
  byId("go").disabled = true;
  const chosen = { token, password: byId("password").value, name: byId("name").value };
  const { wrong, status } = await ask("POST", "/api/v1/invitation/accept", chosen);
  if (wrong === undefined) return location.replace(at("/"));
  byId("go").disabled = false;
  if (status === 404) return refuse(wrong);
  byId("error").textContent = sentence(wrong);
  byId("password").focus();
}

async function open() {
  const { data, wrong } = await ask("POST", "/api/v1/invitation", { token });
  if (wrong) return refuse(wrong);
  byId("title").textContent = t("Welcome to Classpulse");
  byId("lead").textContent = t("Choose a password, and you are in.");
  byId("name").value = data.name;
  byId("login").value = data.login;
  byId("form").hidden = false;
  prepareLook();
  byId("form").addEventListener("submit", accept);
  byId("password").focus();
}

addEventListener("hashchange", () => location.reload());
open();
