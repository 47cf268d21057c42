// The figures at a time above the plots, and what the plots show in words.

import { ROWS } from "./answers.js";
import { byId, clock, element } from "./dom.js";
import { nameOf } from "./emotions.js";
import { number, percent, t } from "./i18n.js";
import { inTime } from "./moments.js";
import { BANDS, hasAnswers } from "./plots.js";

const chip = (attributes, name, value) => element("span", {}, element("i", attributes), name, element("b", { class: "num" }, value));

export const interval = ({ value, low, high }) => `${percent(value)} (${number(100 * low)}–${percent(high)})`;

/** Marks and alerts in a window's time; those of a pause are in the first window after it. */
export function during(view, window) {
  const { windows } = view;
  const i = windows.indexOf(window);
  const since = i ? windows[i - 1].end_s : window.start_s;
  const until = i === windows.length - 1 ? Infinity : window.end_s;
  return inTime(view).filter(({ time_s: time }) => since <= time && time < until);
}

/** Figures at a time, or the newest where none is pointed at. */
export function showLegends(view, time) {
  const { windows, labels, countsOnly } = view;
  byId("legend").classList.toggle("empty", !windows.length);
  const window = time === null ? windows.at(-1) : windows.find((w) => w.start_s <= time && time < w.end_s);
  const at = () => element("span", { class: "at" }, element("b", { class: "num" }, window ? clock(window.end_s) : clock(time ?? 0)));
  const faces = chip({ class: "stroke" }, t("faces"), window?.faces == null ? "–" : number(window.faces, 1));
  const mix = countsOnly ? [] : labels.map((label) => chip({ "data-emotion": label }, nameOf(label), window?.mix ? percent(window.mix[label]) : "–"));
  byId("legend").replaceChildren(at(), ...mix, faces);
  const bands = BANDS.map(([name, title]) => chip({ class: `band ${name}` }, title, window?.[name] ? interval(window[name]) : "–"));
  const moments = time !== null && window ? during(view, window) : [];
  const signs = moments.length ? moments.map((moment) => chip({ class: moment.alert ? "flag" : "mark" }, moment.text, "")) : [
    ...(view.marks.length ? [chip({ class: "mark" }, t("mark"), "")] : []),
    ...(view.alerts.length ? [chip({ class: "flag" }, t("alert"), "")] : []),
  ];
  byId("band-legend").replaceChildren(at(), ...bands, ...signs);
  const said = ROWS.map(([name, word]) => chip({ "data-said": name }, word, window && hasAnswers(window) ? number(window.answers[name]) : "–"));
  byId("said-legend").replaceChildren(...(view.byAnswers ? [at()] : []), ...said, ...(view.byAnswers ? signs : []));
}

/** What the plots show, in a sentence each, for those who do not see them. */
export function describe({ windows, labels }) {
  const heard = windows.findLast(hasAnswers)?.answers;
  const counts = heard && ROWS.map(([name, word]) => `${word} ${number(heard[name])}`).join(", ");
  const said = counts
    ? t("What students said over the last minutes. Last: {figures}. The table below has all figures.", { figures: counts })
    : t("What students said over the last minutes. The table below has all figures.");
  byId("said-chart").setAttribute("aria-label", said);
  const last = windows.findLast((window) => window.mix);
  const label = last && labels.reduce((best, each) => (last.mix[each] > last.mix[best] ? each : best));
  const mix = label
    ? t("Mix of emotions over the last minutes, last mostly {emotion}, {share}. The table below has all figures.", { emotion: nameOf(label), share: percent(last.mix[label]) })
    : t("Mix of emotions over the last minutes. The table below has all figures.");
  byId("mix-chart").setAttribute("aria-label", mix);
  const shown = BANDS.flatMap(([name, title]) => (windows.at(-1)?.[name] ? [`${title} ${percent(windows.at(-1)[name].value)}`] : [])).join(", ");
  const band = shown
    ? t("Facing the screen and attention over the last minutes. Now: {figures}. The table below has all figures, marks and alerts.", { figures: shown })
    : t("Facing the screen and attention over the last minutes. Now there are not enough faces. The table below has all figures, marks and alerts.");
  byId("band-chart").setAttribute("aria-label", band);
}
