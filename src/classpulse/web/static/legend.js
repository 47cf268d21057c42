// The figures at a time above the plots, and what the plots show in words.

import { byId, clock, element } from "./dom.js";
import { percent } from "./i18n.js";
import { inTime } from "./moments.js";
import { BANDS } from "./plots.js";

const chip = (attributes, name, value) => element("span", {}, element("i", attributes), name, element("b", { class: "num" }, value));

export const interval = ({ value, low, high }) => `${percent(value)} (${Math.round(100 * low)}–${percent(high)})`;

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
  const faces = chip({ class: "stroke" }, "faces", window?.faces == null ? "–" : window.faces.toFixed(1));
  const mix = countsOnly ? [] : labels.map((label) => chip({ "data-emotion": label }, label, window?.mix ? percent(window.mix[label]) : "–"));
  byId("legend").replaceChildren(at(), ...mix, faces);
  const bands = BANDS.map(([name, title]) => chip({ class: `band ${name}` }, title, window?.[name] ? interval(window[name]) : "–"));
  const moments = time !== null && window ? during(view, window) : [];
  const signs = moments.length ? moments.map((moment) => chip({ class: moment.alert ? "flag" : "mark" }, moment.text, "")) : [
    ...(view.marks.length ? [chip({ class: "mark" }, "mark", "")] : []),
    ...(view.alerts.length ? [chip({ class: "flag" }, "alert", "")] : []),
  ];
  byId("band-legend").replaceChildren(at(), ...bands, ...signs);
}

/** What the plots show, in a sentence each, for those who do not see them. */
export function describe({ windows, labels }) {
  const last = windows.findLast((window) => window.mix);
  const most = last && labels.reduce((best, label) => (last.mix[label] > best[1] ? [label, last.mix[label]] : best), ["", -1]);
  const mix = most ? `, last mostly ${most[0]}, ${percent(most[1])}` : "";
  byId("mix-chart").setAttribute("aria-label", `Mix of emotions over the last minutes${mix}. The table below has all figures.`);
  const shown = BANDS.flatMap(([name, title]) => (windows.at(-1)?.[name] ? [`${title.toLowerCase()} ${percent(windows.at(-1)[name].value)}`] : []));
  const now = shown.length ? `now ${shown.join(", ")}` : "now not enough faces";
  byId("band-chart").setAttribute("aria-label", `Facing the screen and attention over the last minutes, ${now}. The table below has all figures, marks and alerts.`);
}
