// What a page asks for again and again.

/** Do something again and again, and never while it is still being done: a slow server is not asked ever more. */
export function again(act, everyMs) {
  let busy = false;
  setInterval(async () => {
    if (busy) return;
    busy = true;
    try {
      await act();
    } finally {
      busy = false;
    }
  }, everyMs);
}
