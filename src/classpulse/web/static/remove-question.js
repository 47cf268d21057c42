// The question before a student is sent out: the next one's row moves up, and a second click would send them out too.

import { byId, element, setText } from "./dom.js";
import { t } from "./i18n.js";

function build() {
  const answer = (text, value, look) => element("button", { class: `button ${look}`, value }, text);
  const title = element("h2", { id: "remove-title", dir: "auto" });
  const text = element("p", { id: "remove-text" }, t("They may come in again by the link, if it is open."));
  const answers = element("div", { class: "dialog-actions" }, answer(t("Cancel"), "", ""), answer(t("Remove"), "yes", "danger solid"));
  const attributes = { class: "dialog", id: "remove-dialog", "aria-labelledby": "remove-title", "aria-describedby": "remove-text" };
  const made = element("dialog", attributes, element("form", { method: "dialog" }, title, text, answers));
  document.body.append(made);
  return made;
}

/** Ask whether this student is to be sent out; resolves to whether the answer was yes. */
export async function isToGo(name) {
  const dialog = byId("remove-dialog") ?? build();
  if (dialog.open) return false;
  setText(byId("remove-title"), t("Remove {name}?", { name }));
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  return dialog.returnValue === "yes";
}
