// The last minutes: what is known of them, and when it is drawn anew.

import { byId, setText } from "./dom.js";
import { inOrder } from "./emotions.js";
import { t } from "./i18n.js";
import { describe, showLegends } from "./legend.js";
import { drawMoments, inTime } from "./moments.js";
import { bandPlot, facesPlot, hasAnswers, mixPlot, saidPlot, wasAsked } from "./plots.js";

const KEEP_S = 30 * 60;
const LEAST_S = 60;

const view = { windows: [], labels: [], countsOnly: false, hasBand: false, hasSaid: false, byAnswers: false, group: 0, marks: [], alerts: [] };
let judged = false; // whether the class has a state: then an empty band says "not enough faces"
let plots = [];
let pointed = null; // the time that the pointer is at, in seconds of the class
let drawn = "";
let spanS = 300;

/** Take new windows, `reset` in place of all earlier ones. */
export function addWindows({ reset, windows: fresh }) {
  if (reset) view.windows = [];
  for (const window of fresh) {
    // A recording that begins again begins a new chart.
    if (view.windows.length && window.start_s <= view.windows.at(-1).start_s) view.windows = [];
    view.windows.push(window);
  }
  const { windows } = view;
  while (windows.length && windows.at(-1).end_s - windows[0].end_s > KEEP_S) windows.shift();
  draw();
}

/** Whether there is a finished window. */
export const hasWindows = () => view.windows.length > 0;

const emotionsOf = ({ mix, uncertain }) => JSON.stringify([mix, uncertain]);

/** As of when the emotions of now are, s, where they stay since none that are newer may be shown; else null. */
export function emotionsAsOf(now) {
  const stays = emotionsOf(now);
  const earlier = view.windows.findLastIndex((window) => emotionsOf(window) !== stays);
  return earlier < view.windows.length - 2 ? view.windows[earlier + 1].end_s : null;
}

/** Whether a class has only answers to be told by: it has no camera, and nobody, or too few, showed a face. */
export const toldByAnswers = (state) => !state.camera && !state.now?.people && !view.windows.some((window) => window.people);

let told = "";

/** Take what the state says beside its windows: what may be shown, marks and alerts. */
export function setClass(state) {
  judged ||= Boolean(state.class_state);
  const [countsOnly, byAnswers, group] = [!state.reads_emotions, toldByAnswers(state), state.min_group ?? 0];
  const [marks, alerts] = [state.marks ?? [], state.alerts ?? []];
  const now = JSON.stringify([countsOnly, byAnswers, judged, marks, alerts]);
  if (now === told) return;
  told = now;
  Object.assign(view, { countsOnly, byAnswers, group, marks, alerts });
  byId("view-class").toggleAttribute("data-counts-only", countsOnly);
  byId("view-class").toggleAttribute("data-by-answers", byAnswers);
  byId("mix-chart-box").hidden = countsOnly || byAnswers;
  byId("legend").hidden = byId("faces-chart-box").hidden = byAnswers;
  draw();
}

function range() {
  const end = view.windows.at(-1)?.end_s ?? 0;
  const start = Math.max(view.windows[0]?.start_s ?? 0, end - spanS);
  return [start, Math.max(end, start + LEAST_S)];
}

function point(time) {
  pointed = time;
  showLegends(view, pointed);
}

function build() {
  for (const plot of plots) plot.root.destroy();
  pointed = null;
  const faces = !view.byAnswers;
  const makers = [
    view.hasBand && bandPlot,
    faces && !view.countsOnly && view.labels.length && mixPlot,
    view.hasSaid && saidPlot,
    faces && facesPlot,
  ].filter(Boolean);
  plots = makers.map((make, i) => {
    const top = i === 0;
    const above = (plot) => drawMoments(plot, inTime(view), top);
    return make(view, { top, range, point, above });
  });
}

async function fillTable() {
  if (byId("table-box").open) (await import("./table.js")).fillTable(view);
}

function draw() {
  const { windows } = view;
  const found = inOrder(Object.keys(windows.findLast((window) => window.mix)?.mix ?? {}));
  if (found.length) view.labels = found;
  view.hasBand = !view.countsOnly && !view.byAnswers && (judged || windows.some(wasAsked));
  view.hasSaid = windows.some(hasAnswers);
  byId("band-chart-box").hidden = !view.hasBand;
  byId("said-chart-box").hidden = !view.hasSaid && !view.byAnswers;
  byId("chart-empty").hidden = view.byAnswers ? view.hasSaid : windows.length > 0;
  setText(byId("chart-empty"), view.byAnswers ? t("What students say appears here, once at least {group} of them have answered.", { group: view.group }) : t("The first figures appear here after a few seconds."));
  if (!window.uPlot) {
    setText(byId("chart-empty"), t("The chart library is missing from this installation; the figures are in the table below."));
    byId("chart-empty").hidden = false;
  } else if (windows.length && byId("charts").clientWidth) {
    const wanted = [view.hasBand, view.countsOnly, view.hasSaid, view.byAnswers, ...view.labels].join();
    if (wanted === drawn) for (const plot of plots) plot.redraw();
    else build();
    drawn = wanted;
  }
  showLegends(view, pointed);
  describe(view);
  fillTable();
}

function fit() {
  if (!plots.length) draw();
  for (const { root } of plots) {
    const box = root.root.parentElement;
    if (box.clientWidth && (box.clientWidth !== root.width || box.clientHeight !== root.height)) {
      root.setSize({ width: box.clientWidth, height: box.clientHeight });
    }
  }
}

/** Listen to what changes the chart beside its figures. */
export function prepareChart() {
  byId("spans").addEventListener("change", (event) => {
    spanS = 60 * Number(event.target.value);
    draw();
  });
  byId("table-box").addEventListener("toggle", fillTable);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    drawn = "";
    draw();
  });
  new ResizeObserver(fit).observe(byId("charts"));
}
