// Reads a face on this device: pictures go to a thread of this very page, and only numbers come back.

const RUNTIME_BYTES = 14.2e6; // unpacked; only for the progress that is shown
const NETWORK = { widthPx: 256, minScore: 0.5 };

const pageAddress = (address) => new URL(`../${address}`, import.meta.url).href;

/** Whether this browser can run a network at all. */
export const canRead = () => typeof WebAssembly === "object" && typeof Worker === "function";

export class Reader {
  #worker = null;
  #waiting = new Map();
  #next = 0;
  #broken = null;

  /**
   * Fetch and open the networks that an invitation names; `told` hears which share of them has come, 0 to 1. Rejects
   * where it cannot be done.
   */
  async open(models, told = () => {}) {
    const file = (model, more) => ({ ...more, ...model, url: pageAddress(model.url) });
    this.#worker = new Worker(new URL("reader-worker.js", import.meta.url).href, { type: "module" });
    const all = RUNTIME_BYTES + models.detector.size_bytes + models.emotion.size_bytes;
    this.#worker.addEventListener("message", ({ data }) => {
      if (data.kind === "progress") told(Math.min(1, data.loaded / all));
      else this.#settle(data);
    });
    this.#worker.addEventListener("error", (event) => this.#fail(event.message || "The reader ended."));
    const detector = file(models.detector, NETWORK);
    const emotion = file(models.emotion, { minFacePx: models.min_face_px });
    await this.#ask({ kind: "open", wasm: pageAddress(models.runtime), detector, emotion });
  }

  /** Read an `ImageData`: resolves to `{ face, ms }`, face null where there is none. Its pixels are given away. */
  read({ data, width, height }) {
    return this.#ask({ kind: "read", bytes: data.buffer, width, height }, [data.buffer]);
  }

  close() {
    this.#worker?.terminate();
    this.#fail("The reader was closed.");
  }

  #ask(message, given = []) {
    if (this.#broken) return Promise.reject(new Error(this.#broken));
    this.#next += 1;
    const id = this.#next;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...message, id }, given);
    });
  }

  #settle({ kind, id, detail, ...more }) {
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (kind === "wrong") reject(new Error(detail));
    else resolve(more);
  }

  #fail(detail) {
    this.#broken = detail;
    for (const { reject } of this.#waiting.values()) reject(new Error(detail));
    this.#waiting.clear();
  }
}
