// What the teacher notes: a new topic, a question, or a few words.

import { byId } from "./dom.js";
import { t } from "./i18n.js";

const NOTED_MS = 4000;

let timer = 0;

/** Marks are taken while a class runs. */
export function showMarks(state, connected) {
  const open = connected && ["running", "paused"].includes(state.phase);
  for (const id of ["mark-topic", "mark-question", "mark-text", "mark-add"]) byId(id).disabled = !open;
}

function say(text) {
  byId("noted").textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => byId("noted").replaceChildren(), NOTED_MS);
}

/** Send marks with `post`, which resolves to an empty text or to what is wrong. */
export function prepareMarks(post) {
  const mark = async (label) => {
    const wrong = await post("marks", { label });
    if (!wrong) say(t("Noted: {label}", { label }));
    return !wrong;
  };
  for (const id of ["mark-topic", "mark-question"]) byId(id).addEventListener("click", (event) => mark(event.currentTarget.dataset.label));
  const field = byId("mark-text");
  byId("mark-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const label = field.value.trim();
    if (!label) return field.focus();
    if ((await mark(label)) && field.value.trim() === label) field.value = ""; // or more was typed
  });
  field.addEventListener("keydown", (event) => event.key === "Escape" && field.blur());
}
