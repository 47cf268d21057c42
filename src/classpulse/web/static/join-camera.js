// The student's own camera: looked at on this device, or sent as small pictures, and only while this page is in front.

import { byId } from "./dom.js";
import { canRead, Reader } from "./reader.js";

const WIDTH_PX = 640;
const LOOK_MS = 500; // so that the box follows; what is sent comes less often
const REST = 3; // a slow device rests three times as long as it works
const PICTURE_PX = 320;
const QUALITY = 0.8;
const MAX_PICTURE_BYTES = 200_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Why the camera cannot be used here at all; empty where it can. */
export function obstacle(way) {
  if (!isSecureContext || !navigator.mediaDevices?.getUserMedia) return "insecure";
  return way === "device" && !canRead() ? "unable" : "";
}

export class Camera {
  #invitation;
  #tell;
  #reader = null;
  #opening = null;
  #share = 0; // of the networks that has come
  #waits = false; // whether it is now waiting for them: they come on while it rests
  #stream = null;
  #way = "answers";
  #turn = 0; // counted up with every start and stop: whatever began before is then out of date
  #sentAt = 0;
  #resting = false;

  /** `tell(kind, more)` hears "asking", "loading", "on", "paused", "resting", "wrong" and "off", and "seen" and "send" of each look. */
  constructor(invitation, tell) {
    this.#invitation = invitation;
    this.#tell = tell;
    document.addEventListener("visibilitychange", () => this.#way !== "answers" && this.start(this.#way));
    addEventListener("pagehide", () => this.#release());
  }

  /** Let the camera be off, or not any more: while a class does not run, nobody is looked at. */
  rest(resting) {
    if (resting === this.#resting) return;
    this.#resting = resting;
    if (this.#way !== "answers") this.start(this.#way);
  }

  /** Begin to look, or begin again; "answers" ends it. */
  async start(way) {
    this.#release();
    this.#way = way;
    const turn = this.#turn;
    if (way === "answers") {
      this.#forget();
      this.#tell("off");
      return;
    }
    if (document.hidden || this.#resting) {
      this.#tell(this.#resting ? "resting" : "paused");
      return;
    }
    try {
      const reason = obstacle(way);
      if (reason) throw Object.assign(new Error(reason), { name: reason });
      this.#tell("asking");
      await this.#film(turn);
      if (turn !== this.#turn) return;
      if (way === "device") await this.#prepare();
      if (turn !== this.#turn) return;
      this.#tell("on");
      await this.#look(turn);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#release();
      this.#forget(); // it may be the reader that broke, and another try begins with a whole one
      this.#tell("wrong", { name: error.name, detail: error.message });
    }
  }

  #forget() {
    this.#reader?.close();
    this.#reader = this.#opening = null;
  }

  #release() {
    this.#turn += 1;
    this.#waits = false;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    byId("video").srcObject = null;
  }

  async #film(turn) {
    const video = { width: { ideal: WIDTH_PX }, height: { ideal: 480 }, frameRate: { ideal: 15 }, facingMode: "user" };
    const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    if (turn !== this.#turn) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    this.#stream = stream;
    const lost = () => turn === this.#turn && (this.#release(), this.#tell("wrong", { name: "Lost" }));
    stream.getVideoTracks()[0].addEventListener("ended", lost);
    byId("video").srcObject = stream;
    await byId("video").play();
  }

  /** Fetch and open the networks, once; a failure may be tried again. */
  async #prepare() {
    if (!this.#opening) {
      this.#reader = new Reader();
      this.#share = 0;
      this.#opening = this.#reader.open(this.#invitation.models, (share) => {
        this.#share = share;
        if (this.#waits) this.#tell("loading", { share });
      });
    }
    const opening = this.#opening;
    this.#waits = true;
    this.#tell("loading", { share: this.#share });
    try {
      await opening;
    } catch (error) {
      if (this.#opening === opening) this.#forget();
      throw Object.assign(new Error(error.message), { name: "Networks" });
    }
  }

  async #look(turn) {
    const video = byId("video");
    while (turn === this.#turn) {
      const began = performance.now();
      if (video.readyState >= 2 && video.videoWidth) await (this.#way === "device" ? this.#read(video, turn) : this.#send(video, turn));
      const took = performance.now() - began;
      await pause(Math.max(this.#way === "device" ? LOOK_MS - took : 1000 / this.#invitation.pictures_hz - took, REST * took, 20));
    }
  }

  async #read(video, turn) {
    const canvas = drawn(video, WIDTH_PX);
    const { width, height } = canvas;
    const { face } = await this.#reader.read(canvas.getContext("2d").getImageData(0, 0, width, height));
    if (turn !== this.#turn) return;
    const due = performance.now() - this.#sentAt >= 1000 / this.#invitation.scores_hz - 100;
    const message = readingOf(face);
    this.#tell("seen", { face, message, width, height });
    if (!due) return;
    this.#sentAt = performance.now();
    this.#tell("send", { message });
  }

  async #send(video, turn) {
    const blob = await new Promise((resolve) => drawn(video, PICTURE_PX).toBlob(resolve, "image/jpeg", QUALITY));
    if (turn === this.#turn && blob && blob.size <= MAX_PICTURE_BYTES) this.#tell("send", { message: blob });
  }
}

const canvas = document.createElement("canvas");

/** The video's picture, no larger than a side of so many pixels. */
function drawn(video, side) {
  const scale = Math.min(1, side / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const digits = (value, places) => Number(value.toFixed(places));

/** What leaves the device of one look: numbers, and none where there was no face. */
export function readingOf(face) {
  if (!face) return { t: "s" };
  const message = { t: "s", c: digits(face.score, 2), s: Math.round(face.sizePx) };
  if (face.probabilities) message.p = face.probabilities.map((one) => digits(one, 3));
  if (face.pose) Object.assign(message, { y: Math.round(face.pose.yaw), r: Math.round(face.pose.roll) });
  return message;
}
