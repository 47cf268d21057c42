// CenterFace in the browser: the server's network (vision/centerface.py), its weights packed for the way.

import { fit, planes } from "./reader-pixels.js";

const STRIDE = 4;
const MULTIPLE_PX = 32;
const MAX_IOU = 0.3;
const MAX_CELLS = 3000;
const INPUT = { colour: "rgb", mean: [0, 0, 0], std: [1, 1, 1] };

/** A picture reduced to a working width and padded, black to the right and below, so that the network takes it. */
function prepare(picture, widthPx) {
  const { small, scale } = fit(picture, widthPx);
  const up = (side) => Math.ceil(side / MULTIPLE_PX) * MULTIPLE_PX;
  const [width, height] = [up(small.width), up(small.height)];
  const flat = planes(small, INPUT);
  const tensor = new Float32Array(3 * width * height);
  for (let row = 0; row < 3 * small.height; row += 1) {
    const [plane, y] = [Math.floor(row / small.height), row % small.height];
    tensor.set(flat.subarray(row * small.width, (row + 1) * small.width), (plane * height + y) * width);
  }
  return { tensor, width, height, scale };
}

/** The network's maps as faces, best first: section 3 of Xu, Yan, Yang et al. 2019 (arXiv 1911.03599). */
export function decode({ heatmap, size, offset, landmarks }, width, minScore, zoom) {
  const cells = heatmap.length;
  const found = [];
  for (let i = 0; i < cells; i += 1) if (heatmap[i] > minScore) found.push(i);
  found.sort((a, b) => heatmap[b] - heatmap[a]);
  const side = (value) => Math.exp(Math.min(Math.max(value, -10), 10)) * STRIDE;
  const faces = found.slice(0, MAX_CELLS).map((i) => {
    const [high, wide] = [side(size[i]), side(size[cells + i])];
    const top = (Math.floor(i / width) + offset[i] + 0.5) * STRIDE - high / 2;
    const left = ((i % width) + offset[cells + i] + 0.5) * STRIDE - wide / 2;
    const points = [0, 1, 2, 3, 4].map((point) => {
      const [y, x] = [landmarks[2 * point * cells + i], landmarks[(2 * point + 1) * cells + i]];
      return [(x * wide + left) * zoom, (y * high + top) * zoom];
    });
    return { box: [left, top, left + wide, top + high].map((v) => v * zoom), score: heatmap[i], points };
  });
  return suppress(faces);
}

/** Of boxes that overlap, only the best. */
function suppress(faces) {
  const kept = [];
  for (const face of faces) if (kept.every((better) => iou(face.box, better.box) <= MAX_IOU)) kept.push(face);
  return kept;
}

const area = ([x0, y0, x1, y1]) => Math.max(x1 - x0, 0) * Math.max(y1 - y0, 0);

function iou(a, b) {
  const both = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return both / Math.max(area(a) + area(b) - both, 1e-9);
}

/** Faces in a picture, best first: `{ box: [x0, y0, x1, y1], score, points }`, px of the whole picture. */
export async function detect(run, picture, { widthPx, minScore }) {
  const { tensor, width, height, scale } = prepare(picture, widthPx);
  const maps = await run(tensor, [1, 3, height, width]);
  return decode(maps, width / STRIDE, minScore, 1 / scale);
}
