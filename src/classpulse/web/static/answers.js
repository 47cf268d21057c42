// What students say of themselves, beside what their faces say.

import { byId, element, icon, setText } from "./dom.js";
import { n, t } from "./i18n.js";

const ROWS = [
  ["with_you", t("with you"), "state-with_you"],
  ["unsure", t("unsure"), "state-mixed"],
  ["lost", t("lost"), "state-losing"],
];

function build() {
  byId("answers-list").replaceChildren(
    ...ROWS.map(([name, word, shape]) =>
      element("li", { "data-said": name }, icon(shape, "shape"), element("b", { class: "num" }), element("span", {}, word)),
    ),
  );
}

/** Show the counts, or nothing where nobody was asked; counts of too few are withheld by the server. */
export function showAnswers({ answers }) {
  byId("answers").hidden = !answers;
  if (!answers) return;
  const { total, smallest_group: group } = answers;
  // None and a few look alike: nobody is to see when the first one answers.
  const few = !total || answers.with_you === null;
  ROWS.forEach(([name], i) => setText(byId("answers-list").children[i].querySelector("b"), few ? "–" : String(answers[name])));
  setText(byId("answers-note"), few ? t("fewer than {group} answers", { group }) : n("{n} answer", "{n} answers", total));
}

build();
