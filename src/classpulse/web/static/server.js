// Asking the server: every answer is data, or one sentence on what is wrong.

import { t } from "./i18n.js";

/** An address of ours, wherever a reverse proxy has put the pages: at("/people"); a whole address stays as it is. */
export const at = (path) => new URL(path.replace(/^\//, "../"), import.meta.url).href;

/** Ask for something; resolves to `{ data }` or to `{ wrong }`, and never rejects. */
export async function ask(method, path, body, headers = {}) {
  try {
    const picture = body instanceof Blob;
    const options = { method, headers: { ...headers } };
    if (body !== undefined) {
      options.headers["Content-Type"] = picture ? body.type : "application/json";
      options.body = picture ? body : JSON.stringify(body);
    }
    const answer = await fetch(at(path), options);
    const json = answer.status !== 204 && (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
    const data = json ? await answer.json() : null;
    if (answer.ok) return { data, status: answer.status };
    return { wrong: data?.detail ?? t("Classpulse answered with {status}.", { status: answer.status }), status: answer.status };
  } catch {
    return { wrong: t("Classpulse cannot be reached. Is it still running?"), status: 0 };
  }
}
