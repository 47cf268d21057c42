// The question that comes before a live class: which law is in force.

import { byId } from "./dom.js";

/** Send the answer with `post`, which resolves to an empty text or to what is wrong. */
export function prepareQuestion(post) {
  const form = byId("ask");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = Object.fromEntries(new FormData(form));
    const button = form.querySelector("button");
    button.disabled = true;
    byId("ask-error").textContent = await post("jurisdiction", answer);
    button.disabled = false;
  });
}
