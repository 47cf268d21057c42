// The last minutes as a table; fetched when somebody opens it.

import { byId, clock, element } from "./dom.js";
import { nameOf } from "./emotions.js";
import { number, percent, t } from "./i18n.js";
import { during, interval } from "./legend.js";
import { ROWS } from "./answers.js";
import { BANDS, hasAnswers } from "./plots.js";

const told = (moment) => (moment.alert ? t("Alert: {reason}", { reason: moment.text }) : moment.text);

const said = (view, window) => (view.hasSaid || view.byAnswers ? ROWS.map(([name]) => element("td", {}, hasAnswers(window) ? number(window.answers[name]) : "–")) : []);

function cells(view, window) {
  if (view.byAnswers) return [];
  const few = window.too_few ? t("too few to show") : "";
  const bands = view.hasBand ? BANDS.map(([name]) => (window[name] ? interval(window[name]) : "–")) : [];
  const mix = view.countsOnly ? [] : window.mix ? [...view.labels.map((label) => percent(window.mix[label])), percent(window.uncertain)] : [...view.labels, 0].map(() => "–");
  const figures = [window.faces == null ? "" : number(window.faces, 1), ...bands, ...mix];
  return few ? [element("td", { class: "few", colspan: figures.length }, few)] : figures.map((text) => element("td", {}, text));
}

/** Every window of the last minutes, the newest first. */
export function fillTable(view) {
  const noted = view.marks.length + view.alerts.length > 0;
  const bands = view.hasBand ? BANDS.map(([, title]) => title) : [];
  const mix = view.countsOnly ? [] : [...view.labels.map(nameOf), t("uncertain")];
  const words = view.hasSaid || view.byAnswers ? ROWS.map(([, word]) => word) : [];
  const head = [t("Until"), ...(view.byAnswers ? [] : [t("Faces"), ...bands, ...mix]), ...words, ...(noted ? [t("Marks and alerts")] : [])];
  const rows = view.windows.toReversed().map((window) => {
    const notes = noted ? [element("td", { class: "note" }, during(view, window).map(told).join("; "))] : [];
    return element("tr", {}, element("th", { scope: "row" }, clock(window.end_s)), ...cells(view, window), ...said(view, window), ...notes);
  });
  byId("table").replaceChildren(
    element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...rows),
  );
}
