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
  ctx.lineWidth = (alert ? 1.5 : 1) * devicePixelRatio;
  ctx.setLineDash(alert ? [] : [3 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, from);
  ctx.lineTo(x, to);
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

/** Where each moment is drawn: `[moment, x, words]`; where words would meet, the newer ones stay. */
function place(plot, moments) {
  const { ctx, bbox } = plot;
  const [start, end] = [plot.scales.x.min, plot.scales.x.max];
  const gap = 6 * devicePixelRatio;
  let free = bbox.left + bbox.width + 18 * devicePixelRatio;
  return moments
    .filter(({ time_s: time }) => start <= time && time <= end)
    .reverse()
    .map((moment) => {
      const x = Math.round(plot.valToPos(moment.time_s, "x", true));
      const words = moment.alert ? "" : short(moment.text);
      const width = moment.alert ? FLAG_PX * devicePixelRatio : ctx.measureText(words).width;
      // Words stand to the right of their line, or to its left where the picture ends.
      const from = !moment.alert && x + width > bbox.left + bbox.width + 18 * devicePixelRatio ? x - width : x;
      const fits = from + width + gap <= free || from + width <= free;
      if (fits || moment.alert) free = Math.min(free, from) - gap;
      return [moment, x, fits ? words : "", from];
    });
}

/** Draw them over a plot; the uppermost one has flags and words. */
export function drawMoments(plot, moments, uppermost) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = fontPx(11.5);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const strip = bbox.top - (STRIP_PX - 4) * devicePixelRatio;
  for (const [moment, x, words, from] of place(plot, moments)) {
    line(ctx, x, uppermost ? (moment.alert ? strip : bbox.top - 4 * devicePixelRatio) : bbox.top, bbox.top + bbox.height, moment.alert);
    if (!uppermost) continue;
    if (moment.alert) flag(ctx, x, strip);
    ctx.fillStyle = style("--text");
    ctx.fillText(words, from, strip + 6 * devicePixelRatio);
  }
  ctx.restore();
}
