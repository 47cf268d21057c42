// "Right now": how many faces, and the mix of emotions in them.

import { emotionsAsOf, hasWindows } from "./chart.js";
import { byId, clock, element, setText } from "./dom.js";
import { face, inOrder, nameOf, ORDER } from "./emotions.js";
import { number, percent, t } from "./i18n.js";

const ROOM_FOR_TEXT_PX = 86;
const ROOM_FOR_FACE_PX = 34;

let labels = [];
let shown = false;

/** One part of the bar and one row of the list for each emotion; made once, then only their figures change. */
function build(wanted) {
  const order = inOrder(wanted);
  if (order.join() === labels.join()) return;
  labels = order;
  byId("stack").replaceChildren(
    ...labels.map((label) => element("span", { "data-emotion": label }, face(label), element("b", { class: "num" }))),
  );
  byId("emotions").replaceChildren(
    ...labels.map((label) =>
      element(
        "li",
        { "data-emotion": label },
        face(label),
        element("b", { class: "num" }, "–"),
        element("span", { class: "name" }, nameOf(label)),
        element("span", { class: "meter", "aria-hidden": "true" }, element("i")),
      ),
    ),
  );
}

function showMix(mix) {
  if (mix) build(Object.keys(mix));
  // Bars move from one figure to the next; before the first there is none to move from.
  byId("mix").toggleAttribute("data-first", Boolean(mix) && !shown);
  shown = Boolean(mix);
  labels.forEach((label, i) => {
    const share = mix?.[label] ?? 0;
    const part = byId("stack").children[i];
    part.style.setProperty("--share", share);
    const width = share * byId("stack").clientWidth;
    if (width < ROOM_FOR_FACE_PX) delete part.dataset.room;
    else part.dataset.room = width < ROOM_FOR_TEXT_PX ? "icon" : "all";
    setText(part.lastElementChild, percent(share));
    const row = byId("emotions").children[i];
    setText(row.querySelector("b"), mix ? percent(share) : "–");
    row.style.setProperty("--share", share);
  });
}

/** Why there is no mix: a title and what to do, or null where there is one. */
function reasonFor(state) {
  const { now, min_group: group } = state;
  const trySingle = [t("To see what Classpulse reads in a face, try it on yourself:"), " ", element("code", {}, "classpulse live --single")];
  if (state.phase === "ended") return [t("The class has ended"), [t("Nothing more is read. What was stored is kept.")]];
  if (state.phase === "paused") return [t("Paused"), [t("Faces are not looked at until the class goes on. What students answer still counts.")]];
  if (!now && state.source.state === "waiting") return [t("No picture"), [t("Figures appear when faces can be seen.")]];
  if (!now) return [t("Starting"), [t("The first figures come with the first picture.")]];
  if (now.people === 0) return [t("Nobody is in the picture"), [t("Figures appear when faces can be seen.")]];
  if (now.too_few) return [t("Too few to show"), [t("Figures come from groups of at least {group} people.", { group }), " ", ...trySingle]];
  if (!state.reads_emotions) {
    return [t("Faces are counted, and nothing else"), [t("The law in force here, the EU AI Act, forbids inferring emotions in education. No emotion model is loaded.")]];
  }
  if (now.too_few_read) {
    const few = t("Emotions come from at least {group} faces that can be read and followed; now some are too small, turned away or blurred, or just came.", { group });
    return [t("Too few faces can be read"), [few, " ", ...trySingle]];
  }
  if (!now.mix && !hasWindows()) return [t("Starting"), [t("The first figures appear after a few seconds.")]];
  if (!now.mix) return [t("No face can be read"), [t("They are too small, turned away or blurred. A camera that is nearer helps.")]];
  return null;
}

let reason = "";

function showReason(found) {
  byId("mix").toggleAttribute("data-empty", Boolean(found));
  byId("instead").hidden = !found;
  const said = found?.flat().map((part) => part.textContent ?? part).join();
  if (!found || reason === said) return;
  reason = said;
  byId("instead-title").textContent = found[0];
  byId("instead-text").replaceChildren(...found[1]);
}

/** How old emotions are that stay, so that nobody takes them for those of the faces that are visible now. */
function showAge(now) {
  const since = now?.mix ? emotionsAsOf(now) : null;
  byId("mix-as-of").hidden = since === null;
  if (since !== null) setText(byId("mix-as-of"), t("As of {time}.", { time: clock(since) }));
}

/** Show the state's figures. */
export function showNow(state) {
  const { now } = state;
  const faces = byId("faces");
  setText(faces, !now ? "–" : now.too_few ? `<${state.min_group}` : number(now.faces));
  faces.toggleAttribute("data-none", !now);
  byId("uncertain-box").hidden = !state.reads_emotions;
  const uncertain = now?.uncertain ?? null;
  setText(byId("uncertain"), uncertain === null ? "–" : percent(uncertain));
  byId("uncertain-bar").style.setProperty("--share", uncertain ?? 0);
  showMix(now?.mix);
  showAge(now);
  showReason(reasonFor(state));
}

build(ORDER);
