// "Right now" of a class in which nobody shows a face: what students say, how many they are, and whose hand is up.

import { ROWS, ruleOf, tooFew } from "./answers.js";
import { byId, element, icon, setText } from "./dom.js";
import { n, number, percent, t } from "./i18n.js";
import { isObserver } from "./role.js";

const ROOM_FOR_TEXT_PX = 86;
const ROOM_FOR_SHAPE_PX = 34;

const parts = {};

function figure(name, className) {
  parts[name] = element("dd", { class: "num" }, "–");
  parts[`${name}Word`] = element("dt", {});
  return element("div", { class: className }, parts[`${name}Word`], parts[name]);
}

function build() {
  parts.stack = element(
    "div",
    { class: "stack", "aria-hidden": "true" },
    ...ROWS.map(([name, , shape]) => element("span", { "data-said": name }, icon(shape, "shape"), element("b", { class: "num" }))),
  );
  parts.list = element(
    "ul",
    { class: "emotions three", "aria-label": t("What students say") },
    ...ROWS.map(([name, word, shape]) =>
      element(
        "li",
        { "data-said": name },
        icon(shape, "shape"),
        element("b", { class: "num" }, "–"),
        element("span", { class: "name" }, word),
        element("span", { class: "meter", "aria-hidden": "true" }, element("i")),
      ),
    ),
  );
  parts.rule = element("p", { class: "rule" });
  parts.mix = element("div", { class: "mix" }, parts.stack, parts.list, parts.rule);
  parts.title = element("p", { class: "instead-title" });
  parts.text = element("p", {});
  parts.instead = element("div", { class: "instead" }, parts.title, parts.text);
  byId("now-said").replaceChildren(
    element("h2", { id: "now-said-title" }, t("Right now")),
    element("dl", { class: "headline" }, figure("present", "faces"), figure("hands", "uncertain")),
    element("div", { class: "mix-box" }, parts.mix, parts.instead),
  );
}

/** Why there are no counts: a title and a sentence, or null where there are. */
function reasonFor({ phase, answers, participants, min_group: group }) {
  if (phase === "ended") return [t("The class has ended"), t("Nothing more is read. What was stored is kept.")];
  if (phase === "paused") return [t("Paused"), t("Faces are not looked at until the class goes on. What students answer still counts.")];
  if (!tooFew(answers)) return null;
  if (!participants.present && !answers) return [t("Nobody takes part yet"), isObserver() ? t("Figures appear when students take part by link.") : participants.open ? t("Show the link: students say from their phones or laptops how they follow, and raise a hand.") : t("Let students join: they say from their phones or laptops how they follow, and raise a hand.")];
  const least = answers?.smallest_group ?? group;
  return [t("Too few answers to show"), t("They are shown once at least {group} students have answered, so that nobody can tell who said what.", { group: least })];
}

function showCounts(answers) {
  ROWS.forEach(([name], i) => {
    const share = answers[name] / answers.total;
    const part = parts.stack.children[i];
    part.style.setProperty("--share", share);
    const width = share * parts.stack.clientWidth;
    if (width < ROOM_FOR_SHAPE_PX) delete part.dataset.room;
    else part.dataset.room = width < ROOM_FOR_TEXT_PX ? "icon" : "all";
    setText(part.lastElementChild, percent(share));
    const row = parts.list.children[i];
    setText(row.querySelector("b"), number(answers[name]));
    row.style.setProperty("--share", share);
  });
  setText(parts.rule, ruleOf(answers));
}

/** Who is connected; when the class is over nobody is. */
function showWho({ phase, participants: { present, hands } }) {
  const over = phase === "ended";
  setText(parts.presentWord, n("student connected", "students connected", over ? 0 : present));
  setText(parts.handsWord, n("raised hand", "raised hands", over ? 0 : hands));
  setText(parts.present, over ? "–" : number(present));
  setText(parts.hands, over ? "–" : number(hands));
  parts.present.toggleAttribute("data-none", over);
}

/** Show the state's counts. */
export function showSaid(state) {
  if (!parts.stack) build();
  showWho(state);
  const reason = reasonFor(state);
  parts.mix.hidden = Boolean(reason);
  parts.instead.hidden = !reason;
  if (reason) {
    setText(parts.title, reason[0]);
    setText(parts.text, reason[1]);
  } else {
    showCounts(state.answers);
  }
}
