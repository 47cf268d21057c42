// The question that comes before a live class: which law is in force, and what an exception to it rests on.

import { byId } from "./dom.js";

/** Show a field or hide it; what is hidden is neither checked nor sent. */
function offer(box, input, wanted) {
  byId(box).hidden = !wanted;
  byId(input).disabled = !wanted;
}

function arrange(form) {
  const law = form.elements.jurisdiction.value;
  offer("exemption-box", "exemption", law === "eu");
  offer("declaration-box", "declaration", law === "research" || (law === "eu" && byId("exemption").value !== ""));
}

/** The answer as the server takes it: without an exception that was not chosen, and blanks around words. */
function answerOf(form) {
  const entries = [...new FormData(form)].map(([name, value]) => [name, value.trim()]);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}

let prepared = false;

/** Send the answer with `post`, which resolves to an empty text or to what is wrong. */
export function prepareQuestion(post) {
  if (prepared) return;
  prepared = true;
  const form = byId("ask");
  form.addEventListener("change", () => arrange(form));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    byId("ask-error").textContent = await post("jurisdiction", answerOf(form));
    button.disabled = false;
  });
  arrange(form);
}
