// Cutting out and resizing, with the server's arithmetic: vision/picture.py and the resizing of OpenCV that it calls.
//
// A picture is `{ data, width, height, step }`: bytes in rows from the top, `step` of them a pixel, red, green and blue first.

export const RGB = 3;

/** A number to the nearest integer, halves to the even one, as Python and OpenCV round. */
export function round(value) {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/** Which source pixels make up each target pixel of a side, and with what shares: `[from, shares]` each. */
function areaShares(source, target) {
  const scale = source / target;
  return Array.from({ length: target }, (_, i) => {
    const [begin, end] = [i * scale, (i + 1) * scale];
    const cell = Math.min(scale, source - begin);
    const last = Math.min(Math.floor(end), source - 1);
    const first = Math.min(Math.ceil(begin), last);
    const whole = first - begin > 1e-3;
    const shares = whole ? [(first - begin) / cell] : [];
    for (let s = first; s < last; s += 1) shares.push(1 / cell);
    if (end - last > 1e-3) shares.push(Math.min(Math.min(end - last, 1), cell) / cell);
    return [whole ? first - 1 : first, shares];
  });
}

function linearShares(source, target) {
  const scale = source / target;
  return Array.from({ length: target }, (_, i) => {
    const at = (i + 0.5) * scale - 0.5;
    const low = Math.floor(at);
    if (low < 0) return [0, [1]];
    if (low >= source - 1) return [source - 1, [1]];
    return [low, [1 - (at - low), at - low]];
  });
}

/** A picture in another size, red, green and blue: by area (`INTER_AREA`) or between pixels (`INTER_LINEAR`). */
export function resize({ data, width, height, step }, newWidth, newHeight, byArea) {
  const shares = byArea ? areaShares : linearShares;
  const [columns, rows] = [shares(width, newWidth), shares(height, newHeight)];
  const out = new Uint8Array(newWidth * newHeight * RGB);
  const line = new Float32Array(width * RGB);
  rows.forEach(([top, weights], y) => {
    line.fill(0);
    weights.forEach((weight, i) => {
      for (let x = 0, from = (top + i) * width * step; x < line.length; x += RGB, from += step) {
        line[x] += weight * data[from];
        line[x + 1] += weight * data[from + 1];
        line[x + 2] += weight * data[from + 2];
      }
    });
    let to = y * newWidth * RGB;
    for (const [left, across] of columns) {
      let [red, green, blue] = [0, 0, 0];
      for (let i = 0, from = left * RGB; i < across.length; i += 1, from += RGB) {
        red += across[i] * line[from];
        green += across[i] * line[from + 1];
        blue += across[i] * line[from + 2];
      }
      out[to] = round(red);
      out[to + 1] = round(green);
      out[to + 2] = round(blue);
      to += RGB;
    }
  });
  return { data: out, width: newWidth, height: newHeight, step: RGB };
}

/** A picture reduced so that its longer side is `side` px, and how many of its pixels are one of the whole picture. */
export function fit(picture, side) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  if (scale === 1) return { small: picture, scale };
  const [width, height] = [picture.width, picture.height].map((full) => Math.max(1, round(full * scale)));
  return { small: resize(picture, width, height, scale < 0.45), scale };
}

/** The square on a box's centre with its longer side: FER-2013's own frame. */
export function square([x0, y0, x1, y1]) {
  const half = Math.max(x1 - x0, y1 - y0) / 2;
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return [x - half, y - half, x + half, y + half].map(Math.fround);
}

/** A square cut out of a picture and resized; beyond the picture its edge pixels are repeated. */
export function crop(picture, box, side) {
  const [x0, y0, right, bottom] = box.map(round);
  const [x1, y1] = [Math.max(right, x0 + 1), Math.max(bottom, y0 + 1)];
  const [width, height] = [x1 - x0, y1 - y0];
  if (x0 >= picture.width || y0 >= picture.height || x1 <= 0 || y1 <= 0) {
    return { data: new Uint8Array(side * side * RGB), width: side, height: side, step: RGB };
  }
  const part = new Uint8Array(width * height * RGB);
  const inside = (value, end) => Math.min(Math.max(value, 0), end - 1);
  for (let y = 0, to = 0; y < height; y += 1) {
    const row = inside(y0 + y, picture.height) * picture.width;
    for (let x = 0; x < width; x += 1, to += RGB) {
      const from = (row + inside(x0 + x, picture.width)) * picture.step;
      part[to] = picture.data[from];
      part[to + 1] = picture.data[from + 1];
      part[to + 2] = picture.data[from + 2];
    }
  }
  return resize({ data: part, width, height, step: RGB }, side, side, height > side && width >= side);
}

// OpenCV's weights of red, green and blue in a grey level, in 2^15ths.
const GREY = [9798, 19235, 3735];

/** A picture as a network's input, as its contract says: planes of `(level - mean) / std`. */
export function planes({ data, width, height, step }, { colour, mean, std }) {
  const size = width * height;
  const order = { rgb: [0, 1, 2], bgr: [2, 1, 0], gray: [null] }[colour];
  const out = new Float32Array(order.length * size);
  order.forEach((channel, plane) => {
    for (let i = 0, from = 0; i < size; i += 1, from += step) {
      const level =
        channel === null
          ? (data[from] * GREY[0] + data[from + 1] * GREY[1] + data[from + 2] * GREY[2] + 16384) >> 15
          : data[from + channel];
      out[plane * size + i] = (level - mean[plane]) / std[plane];
    }
  });
  return out;
}
