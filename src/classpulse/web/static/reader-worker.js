// The networks, in a thread of their own: a picture comes in, numbers go out, and the picture is gone.

import * as ort from "./vendor/ort.wasm.bundle.min.mjs";

import { detect } from "./reader-detector.js";
import { classify, longerSide, pose, readable } from "./reader-face.js";

let models = null;

/** A file's bytes, while `progress` is told how many have come. */
async function fetched(url, progress) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${new URL(url).pathname}: ${answer.status}`);
  const parts = [];
  for (let reader = answer.body.getReader(), more = await reader.read(); !more.done; more = await reader.read()) {
    parts.push(more.value);
    progress(more.value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function open({ wasm, detector, emotion }) {
  let loaded = 0;
  const progress = (bytes) => postMessage({ kind: "progress", loaded: (loaded += bytes) });
  const files = await Promise.all([wasm, detector.url, emotion.url].map((url) => fetched(url, progress)));
  ort.env.wasm.numThreads = 1; // more would need headers that close the page off from others
  ort.env.wasm.wasmBinary = files[0].buffer;
  ort.env.logLevel = "fatal";
  const session = (file) => ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
  const [finding, reading] = [await session(files[1]), await session(files[2])];
  const run = (net) => (numbers, shape) => net.run({ [net.inputNames[0]]: new ort.Tensor("float32", numbers, shape) });
  const maps = async (numbers, shape) =>
    Object.fromEntries(Object.entries(await run(finding)(numbers, shape)).map(([name, tensor]) => [name, tensor.data]));
  const scores = async (numbers, shape) => [...(await run(reading)(numbers, shape))[reading.outputNames[0]].data];
  models = { find: maps, score: scores, detector, emotion };
}

async function read(picture) {
  const faces = await detect(models.find, picture, models.detector);
  const [face] = faces.sort((a, b) => longerSide(b.box) - longerSide(a.box)); // whoever sits nearest: it is their device
  if (!face) return null;
  const fit = readable(face.box, picture, models.emotion.minFacePx);
  const probabilities = fit ? await classify(models.score, picture, face.box, models.emotion) : null;
  return { ...face, probabilities, pose: pose(face.points, face.box), sizePx: longerSide(face.box) };
}

async function answer({ kind, id, ...more }) {
  try {
    if (kind === "open") {
      await open(more);
      postMessage({ kind: "opened", id });
    } else {
      const began = performance.now();
      const { width, height } = more;
      const face = await read({ data: new Uint8Array(more.bytes), width, height, step: 4 });
      postMessage({ kind: "reading", id, face, ms: performance.now() - began });
    }
  } catch (error) {
    postMessage({ kind: "wrong", id, detail: String(error?.message ?? error) });
  }
}

addEventListener("message", (event) => answer(event.data));
