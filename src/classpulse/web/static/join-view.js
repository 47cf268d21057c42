// What a student sees of their own camera: the picture, the box of the face in it, and the very numbers that are sent.

import { byId, element, setText } from "./dom.js";
import { inOrder } from "./emotions.js";
import { number, percent, t } from "./i18n.js";

export const EMOTIONS = {
  happy: t("happy"), surprise: t("surprised"), neutral: t("neutral"), sad: t("sad"),
  fear: t("afraid"), disgust: t("disgusted"), angry: t("angry"),
};

const CAUSES = {
  NotAllowedError: [t("The camera was not allowed"), t("Allow it in the browser's address bar and try again. The buttons work without it.")],
  NotFoundError: [t("No camera is connected"), t("Connect one and try again. The buttons work without it.")],
  NotReadableError: [t("The camera is in use"), t("Another program has it, perhaps the meeting. Close it there and try again, or go on with the buttons alone.")],
  Lost: [t("The camera has gone"), t("It was unplugged or taken by another program. Try again, or go on with the buttons alone.")],
  Networks: [t("The program that reads faces did not load"), t("Your network may have dropped. Try again, or go on with the buttons alone.")],
  insecure: [t("No camera on this address"), t("Browsers give a camera to pages with https alone. The buttons work all the same.")],
  unable: [t("This browser cannot read faces"), t("It has no WebAssembly. The buttons work all the same.")],
};
CAUSES.SecurityError = CAUSES.NotAllowedError;
CAUSES.OverconstrainedError = CAUSES.NotFoundError;
CAUSES.AbortError = CAUSES.NotReadableError;

/** In a few words why the camera cannot be used. */
export const cause = (name) => CAUSES[name] ?? [t("The camera cannot be used"), t("Try again, or go on with the buttons alone.")];

function note(title, text = "", { share = null, again = false } = {}) {
  byId("mirror-note").hidden = !title;
  setText(byId("mirror-title"), title);
  setText(byId("mirror-text"), text);
  byId("loading").hidden = share === null;
  byId("loading").value = share ?? 0;
  byId("again").hidden = !again;
}

function state(tone, text) {
  byId("camera-state").dataset.tone = tone;
  setText(byId("camera-state"), text);
}

const light = () => t("The light at your camera is on while it runs.");

/** Show how the camera stands. */
export function showCamera(kind, more, way) {
  const on = kind === "on";
  byId("camera").hidden = kind === "off";
  setText(byId("camera-title"), way === "device" ? t("What is read on your device") : t("What is sent"));
  byId("sent").hidden = !on;
  if (!on) byId("box").hidden = true;
  if (kind === "asking") {
    state("quiet", t("Waiting"));
    note(t("Waiting for the camera"), t("The browser may ask whether this page may use it. {light}", { light: light() }));
  } else if (kind === "loading") {
    state("quiet", t("Loading"));
    note(t("Loading what reads your face"), t("About 9 MB, and only once. You can answer meanwhile."), { share: more.share });
  } else if (kind === "paused") {
    state("warn", t("Paused"));
    note(t("Paused"), t("The camera is off while this page is in the background. It goes on when you come back."));
  } else if (kind === "resting") {
    state("warn", t("Paused"));
    note(t("Paused"), t("The camera is off: nothing is read or sent. It goes on with the class."));
  } else if (kind === "wrong") {
    state("bad", t("Off"));
    note(...cause(more.name), { again: !["insecure", "unable"].includes(more.name) });
  } else if (on) {
    state("good", t("On"));
    note("");
    byId("facts").hidden = way !== "device";
    byId("shares").hidden = way !== "device";
    setText(byId("sent-note"), way === "device" ? "" : t("A small picture like this leaves your device. It is looked at, and never stored. {light}", { light: light() }));
  }
}

/** Lay out a bar for each emotion of the model. */
export function prepareShares(labels) {
  byId("shares").replaceChildren(
    ...inOrder(labels).map((label) =>
      element("li", { "data-emotion": label }, element("span", {}, EMOTIONS[label] ?? label), element("span", { class: "bar" }, element("i")), element("b", { class: "num" })),
    ),
  );
}

/** The other numbers that go out, in words. */
function facts({ pose, score, sizePx }) {
  const degrees = (angle) => number(Math.abs(angle));
  const turned = pose ? t("turned {yaw}°, tilted {roll}°", { yaw: degrees(pose.yaw), roll: degrees(pose.roll) }) : "";
  return [turned, t("{n} px large", { n: number(sizePx) }), t("{share} sure that it is a face", { share: percent(score) })].filter(Boolean).join(" · ");
}

/** Show what was read in one look: `{ face, message, width, height }`. */
export function showReading({ face, message, width, height }, labels) {
  const box = byId("box");
  box.hidden = !face;
  byId("mirror").style.setProperty("--ratio", width / height);
  if (face) {
    const [x0, y0, x1, y1] = face.box; // the video is shown as in a mirror
    const share = (value, whole) => `${(100 * value) / whole}%`;
    Object.assign(box.style, { left: share(width - x1, width), top: share(y0, height), width: share(x1 - x0, width), height: share(y1 - y0, height) });
  }
  byId("shares").toggleAttribute("data-empty", !face?.probabilities);
  for (const row of byId("shares").children) {
    const one = face?.probabilities?.[labels.indexOf(row.dataset.emotion)] ?? 0;
    row.style.setProperty("--share", one);
    setText(row.lastElementChild, face?.probabilities ? percent(one) : "–");
  }
  setText(byId("facts"), face ? facts(face) : "");
  const bytes = JSON.stringify(message).length;
  const found = !face ? t("No face is seen.") : face.probabilities ? "" : t("Your face is too small or cut off: it is not read.");
  const sent = t("Nothing but these numbers leaves your device: {n} bytes, and no picture.", { n: bytes });
  setText(byId("sent-note"), [found, sent, light()].filter(Boolean).join(" "));
}
