// What is read from one face: seven probabilities (vision/emotion.py) and which way it looks (vision/head_pose.py).

import { crop, planes, square } from "./reader-pixels.js";

const MIN_INSIDE = 0.75; // share of a face that must lie inside the picture
const NOSE_DEPTH = 1.7; // distance of the eyes over that of the nose's tip from the plane of eyes and mouth
const MIN_POSE_PX = 20;
const MAX_NOSE = 1.2; // of the distance between eyes and mouth: beyond, five points are no face
const MIN_LENGTH = 0.15; // the same, of the face's longer side

export const longerSide = ([x0, y0, x1, y1]) => Math.max(x1 - x0, y1 - y0);

/** Whether a face is large and whole enough for its emotion to be read. */
export function readable(box, { width, height }, minFacePx) {
  const inside = (value, end) => Math.min(Math.max(value, 0), end);
  const across = inside(box[2], width) - inside(box[0], width);
  const down = inside(box[3], height) - inside(box[1], height);
  const whole = (box[2] - box[0]) * (box[3] - box[1]);
  return longerSide(box) >= minFacePx && (across * down) / Math.max(whole, 1e-9) >= MIN_INSIDE;
}

function softmax(logits, temperature) {
  const top = Math.max(...logits);
  const powers = logits.map((one) => Math.exp((one - top) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((one) => one / sum);
}

/** The probabilities of one face in the order of the model's labels, or null where the network gave no numbers. */
export async function classify(run, picture, box, { input, output, temperature }) {
  const face = crop(picture, square(box), input.width);
  const scores = await run(planes(face, input), [1, input.colour === "gray" ? 1 : 3, input.height, input.width]);
  if (!scores.every(Number.isFinite)) return null;
  return output === "logits" ? softmax(scores, temperature) : scores;
}

const mean = (points) => [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
const degrees = (radians) => (radians * 180) / Math.PI;

/** Yaw and roll in degrees, or null where five points are too small for it or no face. */
export function pose(points, box) {
  const eyes = [points[1][0] - points[0][0], points[1][1] - points[0][1]];
  const [between, mouth] = [mean(points.slice(0, 2)), mean(points.slice(3))];
  const down = [mouth[0] - between[0], mouth[1] - between[1]];
  const roll = Math.atan2(eyes[1] - down[0], eyes[0] + down[1]);
  const side = [Math.cos(roll), Math.sin(roll)];
  const along = (vector) => vector[0] * side[0] + vector[1] * side[1];
  const middle = mean([points[0], points[1], points[3], points[4]]);
  const offset = along([points[2][0] - middle[0], points[2][1] - middle[1]]);
  const [size, length] = [longerSide(box), Math.hypot(...down)];
  const told = size >= MIN_POSE_PX && length >= MIN_LENGTH * size && Math.abs(offset) <= MAX_NOSE * length;
  return told ? { yaw: degrees(Math.atan2(NOSE_DEPTH * offset, Math.max(along(eyes), 0))), roll: degrees(roll) } : null;
}
