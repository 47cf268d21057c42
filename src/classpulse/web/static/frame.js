// What every plot has in common: its axes, its frame, and words where there is a hole.

import { clock } from "./dom.js";

const AXIS_PX = 46;
export const STRIP_PX = 22; // above the uppermost plot, for flags and the labels of marks

export const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const fontPx = (size) => `${size * devicePixelRatio}px system-ui, sans-serif`;

export function axes(splits, format, clocked) {
  const common = { stroke: style("--muted"), font: "12px system-ui, sans-serif", ticks: { show: false } };
  const grid = { stroke: style("--line"), width: 1 };
  return [
    { ...common, show: clocked, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => clock(tick)), size: 26, gap: 4, space: 70, incrs: [5, 10, 15, 30, 60, 120, 300, 600] },
    { ...common, grid, size: AXIS_PX, gap: 6, splits, values: (_, ticks) => ticks.map((tick) => format(tick)) },
  ];
}

/** Options of a plot in `box`: `range` of the clock, `point` at a time or null, hooks that draw behind and above. */
export function frame(box, { top, range, point, clocked, y, splits, format, series, bands = [], behind = [], above }) {
  return {
    width: Math.max(120, box.clientWidth),
    height: box.clientHeight,
    padding: [top ? STRIP_PX : 8, 18, clocked ? 0 : 8, 0],
    legend: { show: false },
    cursor: { sync: { key: "class", setSeries: false }, drag: { x: false, y: false }, points: { show: false }, y: false },
    hooks: { drawAxes: behind, draw: [above], setCursor: [(plot) => point(plot.cursor.left < 0 ? null : plot.posToVal(plot.cursor.left, "x"))] },
    scales: { x: { time: false, range }, y: { range: y } },
    axes: axes(splits, format, clocked),
    series: [{}, ...series],
    bands,
  };
}

/** Say in the picture why there is a hole. */
export function sayInHoles(plot, spans, text) {
  const { ctx, bbox } = plot;
  const [low, high] = [plot.scales.x.min, plot.scales.x.max];
  ctx.save();
  ctx.font = fontPx(12);
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (const [start, end] of spans) {
    if (end <= low) continue;
    const [from, to] = [Math.max(start, low), Math.min(end, high)].map((x) => plot.valToPos(x, "x", true));
    ctx.fillStyle = style("--sunken");
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
    ctx.fillStyle = style("--muted");
    if (to - from > ctx.measureText(text).width + 8) ctx.fillText(text, (from + to) / 2, bbox.top + bbox.height / 2);
  }
  ctx.restore();
}
