// A password that is being typed: it can be looked at, and goes out of sight before it is sent.

import { byId } from "./dom.js";

export function prepareLook() {
  const look = byId("look");
  const show = () => {
    byId("password").type = look.checked ? "text" : "password";
  };
  look.addEventListener("change", show);
  byId("form").addEventListener("submit", () => {
    look.checked = false;
    show();
  });
}
