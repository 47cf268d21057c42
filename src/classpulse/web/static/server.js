// Asking the server: every answer is data, or one sentence on what is wrong.

import { t } from "./i18n.js";

/** An address of ours, wherever a reverse proxy has put the pages: at("/people"); a whole address stays as it is. */
export const at = (path) => new URL(path.replace(/^\//, "../"), import.meta.url).href;

const PATIENCE_MS = 60_000; // where the browser can give up: older phones cannot

/** Ask for something; resolves to `{ data }` or to `{ wrong }`, and never rejects. */
export const ask = (method, path, body, headers) => (method === "GET" ? read : change)(method, path, body, headers);

let last = {}; // the change that was sent last: pressed again while it is on its way, it is sent once

function change(method, path, body, headers) {
  const what = JSON.stringify([method, path, body]);
  if (last.what !== what || body instanceof Blob) {
    const mine = { what, answer: send(method, path, body, headers) };
    mine.answer.then(() => delete mine.what);
    last = mine;
  }
  return last.answer;
}

let reads = 0;
const newest = {}; // [number, answer] by path: an older answer never comes after a newer one

async function read(method, path, body, headers) {
  reads += 1;
  const number = reads;
  const answer = await send(method, path, body, headers);
  if (!(newest[path]?.[0] > number)) newest[path] = [number, answer];
  return newest[path][1];
}

async function send(method, path, body, headers) {
  try {
    const picture = body instanceof Blob;
    const options = { method, headers: { ...headers }, signal: AbortSignal.timeout?.(PATIENCE_MS) };
    if (body !== undefined) {
      options.headers["Content-Type"] = picture ? body.type : "application/json";
      options.body = picture ? body : JSON.stringify(body);
    }
    const answer = await fetch(at(path), options);
    const { ok, status } = answer;
    const json = status !== 204 && (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
    const data = json ? await answer.json() : null;
    return ok ? { data, status } : { wrong: data?.detail ?? t("Classpulse answered with {status}.", { status }), status };
  } catch {
    return { wrong: t("Classpulse cannot be reached. Is it still running?"), status: 0 };
  }
}
