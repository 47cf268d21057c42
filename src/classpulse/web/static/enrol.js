// The consent form: filled in by the person themself or by a guardian, and recorded before any picture is taken.

import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { ask } from "./server.js";

let renewed = null; // somebody on file whose consent is given anew

const form = () => byId("consent-form");

function showGuardian() {
  const guardian = form().elements.who.value === "guardian";
  byId("guardian-field").hidden = !guardian;
  byId("given-by").required = guardian;
}

/** Open the form for somebody new, or for `{ id, name }` who is on file. */
export function openForm(somebody = null) {
  renewed = somebody;
  form().reset();
  showGuardian();
  byId("consent-error").textContent = "";
  const name = byId("name");
  name.value = somebody?.name ?? "";
  name.readOnly = Boolean(somebody);
  byId("agree").textContent = somebody ? t("I agree") : t("I agree, go on to the camera");
  byId("consent-title").textContent = somebody ? t("{name}: a new consent", { name: somebody.name }) : t("Do you agree to be recognised?");
  byId("consent").hidden = false;
  byId("consent-title").focus();
}

export function closeForm() {
  byId("consent").hidden = true;
}

function answer() {
  const { elements } = form();
  const guardian = elements.who.value === "guardian";
  return {
    agreed: elements.agreed.checked,
    individual: elements.individual.checked,
    given_by: guardian ? elements.given_by.value : elements.name.value,
    guardian,
    days: Number(elements.days.value),
    note: elements.note.value,
    ...(renewed ? {} : { name: elements.name.value }),
  };
}

/** Call `agreed` with `{ id, name }` once a consent is recorded, with whether it was one of somebody new. */
export function prepareForm(agreed, cancelled) {
  form().addEventListener("change", showGuardian);
  form().addEventListener("submit", async (event) => {
    event.preventDefault();
    // What is on its way cannot be called off: whoever cancelled now would be on file all the same.
    for (const id of ["agree", "cancel"]) byId(id).disabled = true;
    const path = renewed ? `/api/v1/people/${renewed.id}/consents` : "/api/v1/people";
    const { data, wrong } = await ask("POST", path, answer());
    for (const id of ["agree", "cancel"]) byId(id).disabled = false;
    byId("consent-error").textContent = wrong ?? "";
    if (!wrong) agreed({ id: data.id, name: data.name }, !renewed);
  });
  byId("cancel").addEventListener("click", cancelled);
}
