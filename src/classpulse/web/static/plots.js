// The three plots of the last minutes, on one clock: the band of facing and attention, the mix, and the faces.

import { ROWS, tooFew } from "./answers.js";
import { columns, spansOf } from "./columns.js";
import { byId } from "./dom.js";
import { colour } from "./emotions.js";
import { frame, sayInHoles, style } from "./frame.js";
import { number, percent, t } from "./i18n.js";

export const BANDS = [
  ["facing", t("Facing the screen")],
  ["attention", t("Attention score")],
];

const HALVES = () => [0, 0.5, 1];
const isShown = (window) => BANDS.some(([name]) => window[name]);

/** Whether a window was asked for facing and attention, answered or not. */
export const wasAsked = (window) => isShown(window) || window.too_few_posed === true;

/** Whether at its end a window has answers that may be shown. */
export const hasAnswers = (window) => !tooFew(window.answers);

function plot(box, options, fill) {
  const made = new window.uPlot(frame(box, options), fill(), box);
  return { root: made, redraw: () => made.setData(fill()) };
}

/** Facing and attention, each a line in the band of its 90 % interval. */
export function bandPlot(view, common) {
  const series = BANDS.flatMap(([name, label]) => {
    const [stroke, points] = [style(`--${name}`), { show: false }];
    const edge = { stroke: "transparent", width: 0, points };
    return [edge, edge, { label, stroke, width: 2, dash: name === "attention" ? [6, 4] : [], points }];
  });
  const bands = BANDS.map(([name], i) => ({ series: [3 * i + 2, 3 * i + 1], fill: `${style(`--${name}`)}2a` }));
  const values = BANDS.flatMap(([name]) => ["low", "high", "value"].map((part) => (window) => window[name]?.[part] ?? null));
  const holes = (plot) => sayInHoles(plot, spansOf(view.windows, (window) => !isShown(window)), t("not enough faces"));
  const more = { series, bands, y: [0, 1], splits: HALVES, format: (share) => percent(share), clocked: true, behind: [holes] };
  return plot(byId("band-chart"), { ...common, ...more }, () => columns(view.windows, values, isShown));
}

/** The mix of emotions as stacked areas. */
export function mixPlot(view, common) {
  // Each area is drawn from its upper edge to the bottom; drawing the highest first leaves bands.
  const series = view.labels.map((label) => ({ label, stroke: style("--card"), width: 1, fill: colour(label), points: { show: false } })).reverse();
  const sums = view.labels.map((_, i) => (window) => view.labels.slice(0, i + 1).reduce((sum, label) => sum + (window.mix[label] ?? 0), 0));
  const few = (plot) => sayInHoles(plot, spansOf(view.windows, (window) => window.too_few || window.too_few_read), t("too few to show"));
  const more = { series, y: [0, 1], splits: HALVES, format: (share) => percent(share), clocked: false, behind: [few] };
  return plot(byId("mix-chart"), { ...common, ...more }, () => columns(view.windows, sums.toReversed(), (window) => window.mix));
}

/** What students said of themselves, as stacked shares of those who answered. */
export function saidPlot(view, common) {
  const names = ROWS.map(([name]) => name);
  const fills = ["--with", "--mixed", "--losing"];
  const series = ROWS.map(([, label], i) => ({ label, stroke: style("--card"), width: 1, fill: style(fills[i]), points: { show: false } })).reverse();
  const upTo = names.map((_, i) => ({ answers }) => names.slice(0, i + 1).reduce((sum, name) => sum + answers[name], 0) / answers.total);
  const few = (plot) => sayInHoles(plot, spansOf(view.windows, (window) => !hasAnswers(window)), t("too few answers"));
  const more = { series, y: [0, 1], splits: HALVES, format: (share) => percent(share), clocked: view.byAnswers, behind: [few] };
  return plot(byId("said-chart"), { ...common, ...more }, () => columns(view.windows, upTo.toReversed(), hasAnswers));
}

/** How many faces are visible. */
export function facesPlot(view, common) {
  const box = byId("faces-chart");
  const series = [{ label: t("faces"), stroke: style("--text"), width: 2, fill: `${style("--muted")}22`, points: { show: false } }];
  const whole = (plot) => {
    const high = plot.scales.y.max;
    const most = box.clientHeight > 150 ? 5 : 2;
    const step = [1, 2, 5, 10, 20, 50, 100, 500].find((each) => high / each <= most) ?? high;
    return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
  };
  const y = (_, __, high) => [0, Math.max(4, Math.ceil((high ?? 0) * 1.15))];
  const more = { series, y, splits: whole, format: number, clocked: true };
  return plot(box, { ...common, ...more }, () => columns(view.windows, [(window) => window.faces], (window) => window.faces !== null));
}
