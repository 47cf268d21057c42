// Reads faces with npm's @vladmandic/human. Takes pictures on stdin: width and height as unsigned 32-bit numbers,
// little-endian, then RGB; answers each with a line of JSON. `node read.mjs FOLDER`, where FOLDER has node_modules.
import { readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const modules = join(process.argv[2], 'node_modules');
const require = createRequire(join(modules, 'x.js'));

// The models lie in files, and Node's fetch knows none.
const fetchRemote = globalThis.fetch;
globalThis.fetch = async (url, options) => {
  if (!String(url).startsWith('file:')) return fetchRemote(url, options);
  const type = String(url).endsWith('.json') ? 'application/json' : 'application/octet-stream';
  return new Response(readFileSync(fileURLToPath(String(url))), { headers: { 'content-type': type } });
};

require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-wasm');
const { Human } = require(join(modules, '@vladmandic/human/dist/human.node-wasm.js'));

// Faces and emotions alone, of as many people as there are, and every frame anew: by itself it would look for one face,
// and take a frame that is like the last one for the last one.
const human = new Human({
  backend: 'wasm',
  wasmPath: join(modules, '@tensorflow/tfjs-backend-wasm/dist/'),
  modelBasePath: pathToFileURL(join(modules, '@vladmandic/human/models/')).href,
  debug: false,
  cacheSensitivity: 0,
  face: {
    enabled: true,
    detector: { maxDetected: 100 },
    mesh: { enabled: false },
    iris: { enabled: false },
    description: { enabled: false },
    emotion: { enabled: true },
  },
  body: { enabled: false },
  hand: { enabled: false },
  gesture: { enabled: false },
  object: { enabled: false },
});
await human.load();

function read(bytes) {
  const buffer = Buffer.allocUnsafe(bytes);
  let at = 0;
  while (at < bytes) {
    const got = readSync(0, buffer, at, bytes - at);
    if (got === 0) return null;
    at += got;
  }
  return buffer;
}

function peakMb() {
  const line = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line[1]) / 1024;
}

for (;;) {
  const head = read(8);
  if (head === null) break;
  const [width, height] = [head.readUInt32LE(0), head.readUInt32LE(4)];
  const picture = read(width * height * 3);
  if (picture === null) break;
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const tensor = human.tf.tensor(picture, [1, height, width, 3], 'int32');
  const result = await human.detect(tensor);
  human.tf.dispose(tensor);
  const ms = performance.now() - begin;
  const spent = process.cpuUsage(cpu);
  if (result.error) throw new Error(result.error);
  const boxes = result.face.map(({ box: [x, y, w, h] }) => [x, y, x + w, y + h]);
  const told = result.face.filter((face) => face.emotion?.length > 0).length;
  const answer = { boxes, told, ms, cpu_ms: (spent.user + spent.system) / 1000, peak_mb: peakMb() };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
