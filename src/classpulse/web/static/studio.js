// The camera of enrolment: each click sends one still, which becomes numbers and is not kept.

import { byId, element } from "./dom.js";
import { percent, t } from "./i18n.js";
import { ask } from "./server.js";
import { pictures } from "./words.js";

const WIDTH_PX = 1280; // more adds nothing to a face that fills the oval
const QUALITY = 0.92;
const ENOUGH = 3;

let stream = null;
let person = null;
let busy = false;
let turn = 0; // counted up with every camera that is opened, and with the end

const CAUSES = {
  NotAllowedError: [t("The camera may not be used"), t("Allow it in the browser's address bar, or choose a photo instead.")],
  NotFoundError: [t("No camera is connected"), t("Connect one, or choose a photo instead.")],
  NotReadableError: [t("The camera is in use"), t("Another program has it, perhaps the class that runs. Choose another camera, or a photo instead.")],
};

function cover(title, text = "") {
  byId("cover").hidden = !title;
  byId("cover-title").textContent = title;
  byId("cover-text").textContent = text;
}

function say(tone, text) {
  const box = byId("result");
  if (tone) box.dataset.tone = tone;
  box.textContent = text;
}

/** Which button leads on. */
function lead(name) {
  for (const id of ["shoot", "done"]) byId(id).classList.toggle("primary", id === name);
}

function release() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  byId("video").srcObject = null;
  byId("shoot").disabled = true;
}

async function open(deviceId) {
  release();
  cover(t("Waiting for the camera"), t("The browser may ask whether this page may use it."));
  turn += 1;
  const mine = turn;
  try {
    const video = { width: { ideal: WIDTH_PX }, height: { ideal: 960 }, ...(deviceId ? { deviceId: { exact: deviceId } } : {}) };
    const opened = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    if (mine !== turn) {
      for (const track of opened.getTracks()) track.stop(); // somebody has left, or chosen another one, meanwhile
      return;
    }
    stream = opened;
    byId("video").srcObject = opened;
    await byId("video").play();
    cover("");
    byId("shoot").disabled = false;
    await listDevices();
  } catch (error) {
    if (mine === turn) cover(...(CAUSES[error.name] ?? [t("The camera cannot be used"), t("Choose a photo instead.")]));
  }
}

async function listDevices() {
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
  byId("device-field").hidden = devices.length < 2;
  const current = stream?.getVideoTracks()[0]?.getSettings().deviceId;
  byId("device").replaceChildren(
    ...devices.map((device, i) => {
      const option = element("option", { value: device.deviceId }, device.label || t("Camera {number}", { number: i + 1 }));
      option.selected = device.deviceId === current;
      return option;
    }),
  );
}

/** A picture, from a video or a photo, no larger than is of use. */
function still(source, width, height) {
  const scale = Math.min(1, WIDTH_PX / Math.max(width, height));
  const canvas = element("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function remember(canvas, quality) {
  const small = element("canvas", { width: 184, height: 138 });
  const scale = Math.max(184 / canvas.width, 138 / canvas.height);
  const [w, h] = [canvas.width * scale, canvas.height * scale];
  small.getContext("2d").drawImage(canvas, (184 - w) / 2, (138 - h) / 2, w, h);
  byId("taken").append(element("li", {}, small, element("span", {}, t("quality {share}", { share: percent(quality) }))));
}

/** Send a picture of somebody, who may have left meanwhile: then another's name stands above. */
async function send(whose, canvas) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  if (whose !== person) return;
  const { data, wrong } = await ask("POST", `/api/v1/people/${whose.id}/pictures`, blob);
  if (whose !== person) return;
  if (wrong) {
    say("bad", wrong);
    return;
  }
  if (data.new) remember(canvas, data.quality);
  lead(data.pictures >= ENOUGH ? "done" : "shoot");
  if (data.alike) {
    say("warn", t("This face and that of {name} look alike to Classpulse: look twice at what it says of them.", { name: data.alike }));
  } else if (!data.new) {
    say("warn", t("This picture says nothing new: turn your head a little, and take another."));
  } else {
    const kept = t("Kept as numbers: {pictures} so far.", { pictures: pictures(data.pictures) });
    const more = data.pictures < ENOUGH ? [t("Two or three make it sure: turn a little, and take another.")] : [];
    say("good", [kept, ...more].join(" "));
  }
}

/** Do something with a picture, one at a time. */
async function work(make) {
  if (busy || !person) return;
  const whose = person;
  busy = true;
  byId("shoot").disabled = true;
  say("", t("Looking at the picture …"));
  delete byId("result").dataset.tone;
  try {
    await send(whose, await make());
  } catch {
    if (whose === person) say("bad", t("This file cannot be read as a picture: choose a jpg or png."));
  }
  if (whose !== person) return;
  busy = false;
  byId("shoot").disabled = !stream;
}

async function fromFile(file) {
  const bitmap = await createImageBitmap(file);
  return still(bitmap, bitmap.width, bitmap.height);
}

/** Begin to take pictures of somebody who agreed: `{ id, name }`. */
export async function openStudio(somebody) {
  person = somebody;
  busy = false;
  byId("camera-title").textContent = t("Pictures of {name}", { name: somebody.name });
  byId("taken").replaceChildren();
  lead("shoot");
  say("", "");
  byId("camera").hidden = false;
  byId("camera-title").focus();
  await open();
}

/** Let go of the camera. */
export function closeStudio() {
  person = null;
  turn += 1;
  byId("camera").hidden = true;
  release();
}

export function prepareStudio() {
  byId("shoot").addEventListener("click", () => work(() => still(byId("video"), byId("video").videoWidth, byId("video").videoHeight)));
  byId("device").addEventListener("change", (event) => open(event.target.value));
  byId("file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) await work(() => fromFile(file));
    event.target.value = "";
  });
  addEventListener("pagehide", closeStudio);
}
