// From windows to what uPlot draws.

/**
 * Columns for uPlot: [time, ...one for each function in `values`] of the windows that `has` says yes to.
 * A window fills its whole time: each run of windows starts at the first one's start, goes through their
 * middles, and ends at the last one's end; before a hole (a pause, or too few people) the line breaks.
 */
export function columns(windows, values, has) {
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

/** The times of the windows that `chosen` says yes to, neighbours joined. */
export function spansOf(windows, chosen) {
  const spans = [];
  for (const window of windows) {
    if (!chosen(window)) continue;
    if (spans.length && window.start_s - spans.at(-1)[1] <= 1) spans.at(-1)[1] = window.end_s;
    else spans.push([window.start_s, window.end_s]);
  }
  return spans;
}
