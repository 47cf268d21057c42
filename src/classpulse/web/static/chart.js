// The last minutes: the mix of emotions as stacked areas, and the number of faces below, on one clock.

import { byId, clock, element, percent, setText } from "./dom.js";
import { colour, inOrder } from "./emotions.js";

const KEEP_S = 30 * 60;
const LEAST_S = 60;
const AXIS_PX = 46;

let windows = [];
let labels = []; // in the order of the page
let countsOnly = false;
let charts = [];
let spanS = 300;

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Take new windows, `reset` in place of all earlier ones. */
export function addWindows({ reset, windows: fresh }) {
  if (reset) windows = [];
  for (const window of fresh) {
    // A recording that begins again begins a new chart.
    if (windows.length && window.start_s <= windows.at(-1).start_s) windows = [];
    windows.push(window);
  }
  while (windows.length && windows.at(-1).end_s - windows[0].end_s > KEEP_S) windows.shift();
  draw();
}

/** Whether there is a finished window. */
export const hasWindows = () => windows.length > 0;

/** Show faces alone, where the law allows no more. */
export function setCountsOnly(only) {
  if (only === countsOnly) return;
  countsOnly = only;
  byId("view-class").toggleAttribute("data-counts-only", only);
  byId("mix-chart-box").hidden = only;
  rebuild();
}

/**
 * Columns for uPlot: [time, ...one for each function in `values`].
 * A window fills its whole time: each run of windows starts at the first one's start, goes through their
 * middles, and ends at the last one's end; before a hole (a pause, or too few people) the line breaks.
 */
function columns(values, has) {
  const out = [[], ...values.map(() => [])];
  const put = (x, window) => {
    if (out[0].length && x <= out[0].at(-1)) return;
    out[0].push(x);
    values.forEach((value, i) => out[i + 1].push(window ? value(window) : null));
  };
  let last = null;
  const finish = () => {
    if (!last) return;
    put(last.end_s, last);
    put(last.end_s + 0.001, null);
    last = null;
  };
  for (const window of windows) {
    if (!has(window)) {
      finish();
      continue;
    }
    if (last && window.start_s - last.end_s > 1) finish();
    if (!last) put(window.start_s + 0.002, window);
    put((window.start_s + window.end_s) / 2, window);
    last = window;
  }
  if (last) put(last.end_s, last);
  return out;
}

function mixColumns() {
  const sums = labels.map((_, i) => (window) => labels.slice(0, i + 1).reduce((sum, label) => sum + (window.mix[label] ?? 0), 0));
  return columns(sums, (window) => window.mix);
}

const faceColumns = () => columns([(window) => window.faces], (window) => window.faces !== null);

function range() {
  const end = windows.at(-1)?.end_s ?? 0;
  const start = Math.max(windows[0]?.start_s ?? 0, end - spanS);
  return [start, Math.max(end, start + LEAST_S)];
}

function axes(splits, format, clocked) {
  const common = { stroke: style("--muted"), font: "12px system-ui, sans-serif", ticks: { show: false } };
  const grid = { stroke: style("--line"), width: 1 };
  return [
    { ...common, show: clocked, grid: { show: false }, values: (_, ticks) => ticks.map(clock), size: 26, gap: 4, space: 70, incrs: [5, 10, 15, 30, 60, 120, 300, 600] },
    { ...common, grid, size: AXIS_PX, gap: 6, splits, values: (_, ticks) => ticks.map(format) },
  ];
}

/** Say in the picture why there is a hole: too few people. */
function markWithheld(chart) {
  const { ctx, bbox } = chart;
  const [low, high] = [chart.scales.x.min, chart.scales.x.max];
  ctx.save();
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (const [start, end] of withheld()) {
    if (end <= low) continue;
    const [from, to] = [Math.max(start, low), Math.min(end, high)].map((x) => chart.valToPos(x, "x", true));
    ctx.fillStyle = style("--sunken");
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
    ctx.fillStyle = style("--muted");
    if (to - from > ctx.measureText("too few to show").width + 8) ctx.fillText("too few to show", (from + to) / 2, bbox.top + bbox.height / 2);
  }
  ctx.restore();
}

/** The times for which the mix is withheld, neighbours joined. */
function withheld() {
  const spans = [];
  for (const window of windows) {
    if (!window.too_few && !window.too_few_read) continue;
    if (spans.length && window.start_s - spans.at(-1)[1] <= 1) spans.at(-1)[1] = window.end_s;
    else spans.push([window.start_s, window.end_s]);
  }
  return spans;
}

function options(box, more, draw = []) {
  return {
    width: Math.max(120, box.clientWidth),
    height: box.clientHeight,
    padding: [8, 18, draw.length ? 8 : 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "class", setSeries: false }, drag: { x: false, y: false }, points: { show: false }, y: false },
    hooks: { drawAxes: draw, setCursor: [(chart) => showLegend(chart.cursor.left < 0 ? null : chart.posToVal(chart.cursor.left, "x"))] },
    ...more,
  };
}

function mixChart() {
  const box = byId("mix-chart");
  const series = labels.map((label) => ({ label, stroke: style("--card"), width: 1, fill: colour(label), points: { show: false } }));
  // Each area is drawn from its upper edge to the bottom; drawing the highest first leaves bands.
  const scales = { x: { time: false, range }, y: { range: [0, 1] } };
  const order = { series: [{}, ...series.reverse()], scales, axes: axes(() => [0, 0.5, 1], percent, false) };
  return new window.uPlot(options(box, order, [markWithheld]), reversed(mixColumns()), box);
}

const reversed = ([x, ...rest]) => [x, ...rest.reverse()];

function facesChart() {
  const box = byId("faces-chart");
  const series = [{}, { label: "faces", stroke: style("--text"), width: 2, fill: `${style("--muted")}22`, points: { show: false } }];
  const top = (_, __, high) => [0, Math.max(4, Math.ceil((high ?? 0) * 1.15))];
  const whole = (chart) => {
    const high = chart.scales.y.max;
    const most = box.clientHeight > 150 ? 5 : 2;
    const step = [1, 2, 5, 10, 20, 50, 100, 500].find((each) => high / each <= most) ?? high;
    return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
  };
  const more = { series, scales: { x: { time: false, range }, y: { range: top } }, axes: axes(whole, String, true) };
  return new window.uPlot(options(box, more), faceColumns(), box);
}

function rebuild() {
  for (const chart of charts) chart.destroy();
  charts = [];
  draw();
}

function draw() {
  const found = inOrder(Object.keys(windows.findLast((window) => window.mix)?.mix ?? {}));
  if (found.length && found.join() !== labels.join()) {
    labels = found;
    rebuild();
    return;
  }
  byId("chart-empty").hidden = windows.length > 0;
  if (!window.uPlot) {
    setText(byId("chart-empty"), "The chart library is missing from this installation; the figures are in the table below.");
    byId("chart-empty").hidden = false;
  } else if (windows.length && byId("faces-chart").clientWidth) {
    if (!charts.length) charts = countsOnly || !labels.length ? [facesChart()] : [facesChart(), mixChart()];
    charts[0].setData(faceColumns());
    charts[1]?.setData(reversed(mixColumns()));
  }
  showLegend(null);
  describe();
  if (byId("table-box").open) fillTable();
}

/** Figures at a time, or the newest where none is pointed at. */
function showLegend(time) {
  byId("legend").classList.toggle("empty", !windows.length);
  const window = time === null ? windows.at(-1) : windows.find((w) => w.start_s <= time && time < w.end_s);
  const chip = (attributes, name, value) => element("span", {}, element("i", attributes), name, element("b", { class: "num" }, value));
  const at = element("span", { class: "at" }, element("b", { class: "num" }, window ? clock(window.end_s) : clock(time ?? 0)));
  const faces = chip({ class: "stroke" }, "faces", window?.faces == null ? "–" : window.faces.toFixed(1));
  const mix = countsOnly ? [] : labels.map((label) => chip({ "data-emotion": label }, label, window?.mix ? percent(window.mix[label]) : "–"));
  byId("legend").replaceChildren(at, ...mix, faces);
}

/** What the chart shows, in a sentence, for those who do not see it. */
function describe() {
  const shown = windows.filter((window) => window.mix);
  const last = shown.at(-1);
  const most = last && labels.reduce((best, label) => (last.mix[label] > best[1] ? [label, last.mix[label]] : best), ["", -1]);
  const mix = most ? `, last mostly ${most[0]}, ${percent(most[1])}` : "";
  byId("mix-chart").setAttribute("aria-label", `Mix of emotions over the last minutes${mix}. The table below has all figures.`);
}

const COLUMNS = ["Until", "Faces"];

function fillTable() {
  const names = countsOnly ? [] : labels;
  const head = [...COLUMNS, ...names, ...(countsOnly ? [] : ["uncertain"])];
  const rows = [...windows].reverse().map((window) => {
    const time = element("th", { scope: "row" }, clock(window.end_s));
    if (window.too_few) return element("tr", {}, time, element("td", { class: "few", colspan: head.length - 1 }, "too few to show"));
    const mix = countsOnly ? [] : window.mix ? [...labels.map((label) => percent(window.mix[label])), percent(window.uncertain)] : [...labels, 0].map(() => "–");
    return element("tr", {}, time, ...[window.faces.toFixed(1), ...mix].map((text) => element("td", {}, text)));
  });
  byId("table").replaceChildren(
    element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...rows),
  );
}

/** Listen to what changes the chart beside its figures. */
export function prepareChart() {
  byId("spans").addEventListener("change", (event) => {
    spanS = 60 * Number(event.target.value);
    draw();
  });
  byId("table-box").addEventListener("toggle", fillTable);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", rebuild);
  new ResizeObserver(() => {
    if (!charts.length) draw();
    for (const chart of charts) {
      const box = chart.root.parentElement;
      if (box.clientWidth && (box.clientWidth !== chart.width || box.clientHeight !== chart.height)) {
        chart.setSize({ width: box.clientWidth, height: box.clientHeight });
      }
    }
  }).observe(byId("charts"));
}
