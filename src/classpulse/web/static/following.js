// One large word on how the class follows, with its reason; and why there is none where there is none.

import { byId, setIcon, setText } from "./dom.js";
import { t } from "./i18n.js";
import { inSchool } from "./role.js";

export const WORDS = { with_you: t("With you"), mixed: t("Mixed"), losing: t("Losing them"), not_enough: t("Not enough to tell") };
const BEGUN_S = 90;

/** A title and a sentence for where there is no state to show. */
function without(state, connected) {
  if (!connected && inSchool()) return [t("No connection"), t("If the class was broken off, it goes on when the server is back, and this page with it.")];
  if (state.phase === "ended") return [t("The class is over"), state.session_id === null ? t("It was not stored: there is no report.") : connected ? t("Its report and its figures open with the buttons above, for as long as this page is connected.") : t("Its report is kept: `classpulse report latest` makes it.").replaceAll("`", "")];
  if (!connected) return [t("No connection"), t("How the class follows now is not known.")];
  if (state.phase === "paused") return [t("Paused"), t("How the class follows is told when the class goes on.")];
  if (state.source.state === "waiting") return [t("No picture"), t("How the class follows now is not known.")];
  if (!state.camera) return [t("The class has just begun"), t("How it follows is told when enough students have said so.")];
  if (!state.reads_emotions) {
    return [t("Not told here"), t("EU law forbids telling from faces how a class follows. Students' answers tell it, once you let them join.")];
  }
  if (state.elapsed_s < BEGUN_S) return [t("The class has just begun"), t("How it follows is told when enough has been seen.")];
  return [t("Not told"), t("Attention is switched off in the settings, or nothing has been seen for a while.")];
}

let announced = null;

/** Screen readers hear a state when it changes, and not every figure in its reason. */
function announce(name, text) {
  const first = announced === null;
  if (name === announced) return;
  announced = name;
  if (!first && name) byId("state-announcer").textContent = text;
}

/** Show how the class follows. */
export function showFollowing(state, connected) {
  const shown = connected && !["paused", "ended"].includes(state.phase) ? (state.class_state ?? null) : null;
  const [word, reason] = shown ? [WORDS[shown.name], shown.reason] : without(state, connected);
  byId("following").dataset.state = shown?.name ?? "none";
  if (shown) setIcon(byId("following-shape"), `state-${shown.name}`);
  setText(byId("following-word"), word);
  setText(byId("following-reason"), reason);
  announce(shown?.name ?? "", `${word}. ${reason}`);
}
