// What students say of themselves, beside what their faces say.

import { byId, clock, element, icon, setText } from "./dom.js";
import { n, t } from "./i18n.js";

export const ROWS = [
  ["with_you", t("with you"), "state-with_you"],
  ["unsure", t("unsure"), "state-mixed"],
  ["lost", t("lost"), "state-losing"],
];

/** Whether counts may not be shown: none and a few look alike, so that nobody sees when the first one answers. */
export const tooFew = (answers) => !answers?.total || answers.with_you === null;

/** As of when counts are, how long an answer counts, and when counts change. */
export function ruleOf({ as_of_s: since, holds_s: holds, smallest_group: group }) {
  const rule = t("An answer counts for {minutes} minutes, or until its student leaves, and goes at the next change of the counts. They change once {group} answers have, so that nobody can tell who said what.", { minutes: Math.round(holds / 60), group });
  return typeof since === "number" ? `${t("As of {time}.", { time: clock(since) })} ${rule}` : rule;
}

function build() {
  byId("answers-list").replaceChildren(
    ...ROWS.map(([name, word, shape]) =>
      element("li", { "data-said": name }, icon(shape, "shape"), element("b", { class: "num" }), element("span", {}, word)),
    ),
  );
}

/** Show the counts, or nothing where nobody was asked or a card of its own has them. */
export function showAnswers({ answers }, elsewhere) {
  byId("answers").hidden = !answers || elsewhere;
  if (!answers) return;
  const { total, smallest_group: group } = answers;
  const few = tooFew(answers);
  ROWS.forEach(([name], i) => setText(byId("answers-list").children[i].querySelector("b"), few ? "–" : String(answers[name])));
  setText(byId("answers-note"), few ? t("fewer than {group} answers", { group }) : n("{n} answer", "{n} answers", total));
  setText(byId("answers-rule"), ruleOf(answers));
}

build();
