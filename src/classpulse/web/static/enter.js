// The way in: uses up the link that brought us here, and goes on to the class.

import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { ask } from "./server.js";

// What follows # never left the browser so far. It goes out of the address at once, as nobody else is to copy it.
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname + location.search);

function refuse(wrong) {
  byId("title").textContent = wrong ? t("You are not let in") : t("This page is the teacher's");
  byId("why").textContent = wrong;
  byId("why").hidden = !wrong;
  byId("how").hidden = Boolean(wrong);
  byId("closed").hidden = false;
  byId("title").focus();
}

async function comeIn() {
  const { wrong } = token ? await ask("POST", "/api/v1/enter", { token }) : { wrong: "" };
  // Whoever is in already, and opens a used link once more, is no stranger.
  const isIn = wrong === undefined || (await ask("GET", "/api/v1/role")).data !== undefined;
  if (isIn) location.replace("./");
  else refuse(wrong);
}

// The terminal's link, given to the very tab that asks for it, changes what follows # and loads nothing.
addEventListener("hashchange", () => location.reload());
comeIn();
