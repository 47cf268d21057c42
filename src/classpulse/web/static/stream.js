// The stream of events from the server; it comes back by itself after every break.

const SILENCE_MS = 12_000; // the server gives a sign of life every five seconds
const RETRY_MS = 2_000;

/** Call `on.state`, `on.windows` with every event's data, `on.connection` with whether there is one, and `on.refused`. */
export function listen(on) {
  let source;
  let heard = performance.now();

  function open() {
    source?.close();
    heard = performance.now();
    source = new EventSource("api/v1/events");
    const receive = (tell) => (event) => {
      heard = performance.now();
      on.connection(true);
      if (event.data) tell(JSON.parse(event.data));
    };
    source.addEventListener("state", receive(on.state));
    source.addEventListener("windows", receive(on.windows));
    source.addEventListener("ping", receive(() => {}));
    source.addEventListener("error", () => {
      on.connection(false);
      // The browser tries again by itself, except after an answer that is no stream.
      if (source.readyState !== EventSource.CLOSED) return;
      on.refused();
      setTimeout(open, RETRY_MS);
    });
  }

  open();
  setInterval(() => {
    if (performance.now() - heard < SILENCE_MS) return;
    on.connection(false);
    open();
  }, RETRY_MS);
}
