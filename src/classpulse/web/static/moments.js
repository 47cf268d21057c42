// Marks and alerts in the plots: marks as lines with their words above, alerts as flags.

import { fontPx, STRIP_PX, style } from "./frame.js";

const LETTERS = 16; // of a mark's words that are drawn; the table has all of them
const FLAG_PX = 11;

const short = (text) => (text.length > LETTERS ? `${text.slice(0, LETTERS - 1).trimEnd()}…` : text);

/** Marks and alerts together, oldest first. */
export function inTime({ marks, alerts }) {
  const told = [...marks.map((mark) => ({ ...mark, text: mark.label })), ...alerts.map((alert) => ({ ...alert, text: alert.reason, alert: true }))];
  return told.sort((a, b) => a.time_s - b.time_s);
}

function line(ctx, x, from, to, alert) {
  ctx.strokeStyle = style(alert ? "--bad" : "--text");
  ctx.globalAlpha = alert ? 1 : 0.65;
  ctx.lineWidth = (alert ? 2 : 1) * devicePixelRatio;
  ctx.setLineDash(alert ? [] : [3 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  const sharp = alert ? x : x + devicePixelRatio / 2; // a line of one pixel lies in the middle of it
  ctx.moveTo(sharp, from);
  ctx.lineTo(sharp, to);
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function flag(ctx, x, top) {
  const px = FLAG_PX * devicePixelRatio;
  ctx.fillStyle = style("--bad");
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x + px, top + px * 0.4);
  ctx.lineTo(x, top + px * 0.8);
  ctx.fill();
}

/** Where the words of marks stand, `[moment, left edge]`: to the right of their line, to its left, or nowhere. */
function placeWords(plot, moments) {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width + 18 * devicePixelRatio;
  const [gap, flagged] = [5 * devicePixelRatio, FLAG_PX * devicePixelRatio];
  const taken = moments.filter((moment) => moment.alert).map(({ x }) => [x, x + flagged]);
  const placed = [];
  // The newest words matter most.
  for (const moment of moments.filter((each) => !each.alert).reverse()) {
    const width = ctx.measureText(short(moment.text)).width;
    const free = (from) => from + width <= right && taken.every(([low, high]) => from + width + gap <= low || high + gap <= from);
    const from = [moment.x, moment.x - width].find(free);
    if (from === undefined) continue;
    taken.push([from, from + width]);
    placed.push([moment, from]);
  }
  return placed;
}

/** Draw them over a plot; the uppermost one has flags and words. */
export function drawMoments(plot, moments, uppermost) {
  const { ctx, bbox } = plot;
  const { min, max } = plot.scales.x;
  const shown = moments
    .filter(({ time_s: time }) => min <= time && time <= max)
    .map((moment) => ({ ...moment, x: Math.round(plot.valToPos(moment.time_s, "x", true)) }));
  ctx.save();
  ctx.font = fontPx(11.5);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const strip = bbox.top - (STRIP_PX - 4) * devicePixelRatio;
  const pole = bbox.top - 4 * devicePixelRatio;
  for (const { alert, x } of shown) {
    line(ctx, x, uppermost ? (alert ? strip : pole) : bbox.top, bbox.top + bbox.height, alert);
    if (uppermost && alert) flag(ctx, x, strip);
  }
  ctx.fillStyle = style("--text");
  for (const [{ text }, from] of uppermost ? placeWords(plot, shown) : []) ctx.fillText(short(text), from, strip + 6 * devicePixelRatio);
  ctx.restore();
}
