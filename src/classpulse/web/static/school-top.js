// The top of a school's pages: who is logged in, what only an admin has, and the way out.

import { byId } from "./dom.js";
import { sentence } from "./ranks.js";
import { ask, at } from "./server.js";
import { notify } from "./words.js";

/** Show who is here; resolves to their account, or sends them to the login. */
export async function prepareTop() {
  byId("log-out").addEventListener("click", logOut);
  const { data, status } = await ask("GET", "/api/v1/account");
  if (status === 401) location.replace(at("/login"));
  if (!data) return null;
  byId("who").textContent = data.name;
  for (const page of ["to-people", "to-accounts"]) if (byId(page)) byId(page).hidden = data.rank !== "admin";
  return data;
}

async function logOut() {
  const { wrong, status } = await ask("POST", "/api/v1/logout");
  if (wrong && status !== 401) notify(["bad", sentence(wrong)]); // whoever is sent to the login believes to be out
  else location.replace(at("/login"));
}
