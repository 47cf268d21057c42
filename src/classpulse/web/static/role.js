// Who looks at the page: an observer's has no controls, as whatever they did would be refused.

import { ask } from "./server.js";

/** Whether the class is one of a school's, whose server is not at its teacher's hand. */
export const inSchool = () => document.documentElement.hasAttribute("data-school");

export const isObserver = () => document.body.dataset.role === "observer";

export async function prepareRole() {
  const { data } = await ask("GET", "/api/v1/role");
  if (data) document.body.dataset.role = data.role;
}
