// One camera on the page. Streamlit calls the default function anew whenever an answer has come, so what lasts is kept
// by the element. A picture goes out when the last one was answered: none ever waits in a queue.
const WIDTH_PX = 640;
const QUALITY = 0.8;
const PAUSE_MS = 80;
const PATIENCE_MS = 5000;
const CLICK_MS = 1500;
const LONG_RUN_MS = 30000;
const cameras = new WeakMap();

// Streamlit forgets which page was asked for where a picture comes right behind the click: pictures wait until it is there.
let elsewhereAt = -Infinity;
for (const kind of ["click", "keydown", "popstate"]) {
  window.addEventListener(kind, (event) => {
    if (!event.composedPath().some((node) => cameras.has(node))) elsewhereAt = performance.now();
  }, true);
}

function isElsewhere(now) {
  const run = document.querySelector("[data-test-script-state]")?.dataset.testScriptState ?? "notRunning";
  return now - elsewhereAt < CLICK_MS || (run !== "notRunning" && now - elsewhereAt < LONG_RUN_MS);
}

const REASONS = {
  NotAllowedError: "The camera was refused. Allow it beside the page's address, then start again.",
  NotFoundError: "This device has no camera.",
  NotReadableError: "Another program has the camera. Close that one, then start again.",
};

function makeCamera(root) {
  const at = (selector) => root.querySelector(selector);
  const [box, video, canvas, button] = [".camera", "video", "canvas", ".go"].map(at);
  const [word, bars, status] = [".word", ".bars", ".status"].map(at);
  const small = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  let [stream, answer, sent, sentAt, answeredAt, drawing] = [null, null, 0, 0, 0, 0];
  let [turn, waits] = [0, false]; // counted up with every start and stop: a camera that comes later than that is let go
  const rates = [];
  const me = { send: () => {}, take, stop };

  function say(text, bad = false) {
    status.textContent = text;
    status.toggleAttribute("data-bad", bad);
  }

  async function start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      say("A browser gives its camera only to https pages, and to pages of this very machine (localhost).", true);
      return;
    }
    say("Waiting for the camera…");
    turn += 1;
    waits = true;
    const mine = turn;
    try {
      const given = await navigator.mediaDevices.getUserMedia({ video: { width: WIDTH_PX, height: 480, facingMode: "user" } });
      if (mine !== turn) {
        given.getTracks().forEach((track) => track.stop());
        return;
      }
      stream = given;
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      if (mine !== turn) return;
      stop();
      say(REASONS[error.name] ?? `The camera cannot be used: ${error.message}`, true);
      return;
    }
    if (mine !== turn) return;
    waits = false;
    stream.getVideoTracks()[0].addEventListener("ended", () => { stop(); say("The camera was taken away.", true); });
    box.dataset.state = "on";
    button.textContent = "Stop the camera";
    sentAt = 0;
    say("");
    draw();
  }

  function stop() {
    turn += 1;
    waits = false;
    stream?.getTracks().forEach((track) => track.stop());
    cancelAnimationFrame(drawing);
    [stream, answer] = [null, null];
    video.srcObject = null;
    box.dataset.state = "off";
    button.textContent = "Start the camera";
    pen.clearRect(0, 0, canvas.width, canvas.height);
    word.textContent = "";
    bars.replaceChildren();
    say("");
  }

  function draw() {
    drawing = requestAnimationFrame(draw);
    if (!video.videoWidth) return;
    if (canvas.width !== video.videoWidth || canvas.height !== video.videoHeight) {
      [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    }
    // As in a mirror: so one finds the way to the middle.
    pen.setTransform(-1, 0, 0, 1, canvas.width, 0);
    pen.drawImage(video, 0, 0);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    for (const face of answer?.faces ?? []) drawFace(face);
    const now = performance.now();
    const idle = answeredAt >= sentAt && now - answeredAt > PAUSE_MS;
    if (!document.hidden && !isElsewhere(now) && (idle || now - sentAt > PATIENCE_MS)) send(now);
  }

  function drawFace({ box: [x0, y0, x1, y1], colour, word: told, id }) {
    const [left, top] = [(1 - x1) * canvas.width, y0 * canvas.height];
    const [wide, high] = [(x1 - x0) * canvas.width, (y1 - y0) * canvas.height];
    for (const [line, width] of [["#12161c", 6], [colour, 3]]) {
      pen.strokeStyle = line;
      pen.lineWidth = width;
      pen.strokeRect(left, top, wide, high);
    }
    pen.font = "600 18px sans-serif";
    const text = `${id}  ${told}`;
    const y = Math.max(26, top - 6);
    pen.fillStyle = "#12161c";
    pen.fillRect(left, y - 22, pen.measureText(text).width + 14, 28);
    pen.fillStyle = "#fff";
    pen.fillText(text, left + 7, y);
  }

  function send(now) {
    const scale = Math.min(1, WIDTH_PX / video.videoWidth);
    [small.width, small.height] = [video.videoWidth * scale, video.videoHeight * scale].map(Math.round);
    small.getContext("2d").drawImage(video, 0, 0, small.width, small.height);
    [sent, sentAt] = [sent + 1, now];
    me.send({ n: sent, jpeg: small.toDataURL("image/jpeg", QUALITY) });
  }

  function take(fresh) {
    if (!fresh || fresh.n !== sent || !stream || answeredAt >= sentAt) return;
    answeredAt = performance.now();
    if (fresh.trouble) {
      say(fresh.trouble, true);
      return;
    }
    answer = fresh;
    rates.push(answeredAt);
    while (rates.length > 12) rates.shift();
    const rate = rates.length > 1 ? (1000 * (rates.length - 1)) / (answeredAt - rates[0]) : 0;
    const count = fresh.faces.length === 1 ? "1 face" : `${fresh.faces.length} faces`;
    say(`${count}; ${rate.toFixed(1)} pictures a second, ${fresh.ms} ms to read one.`);
    tell(fresh);
  }

  function tell(fresh) {
    const size = ({ box: [x0, y0, x1, y1] }) => Math.max(x1 - x0, y1 - y0);
    const nearest = fresh.faces.reduce((best, face) => (best && size(best) >= size(face) ? best : face), null);
    const none = fresh.reads ? "No face" : `${fresh.faces.length} counted`;
    word.textContent = nearest && fresh.reads ? nearest.word : none;
    const shares = Object.entries(nearest?.shares ?? {});
    if (bars.childElementCount !== 3 * shares.length) {
      bars.replaceChildren(...shares.flatMap(([name]) => {
        const [label, track, fill, share] = ["span", "i", "i", "b"].map((tag) => document.createElement(tag));
        label.textContent = name;
        fill.style.background = fresh.colours[name];
        track.append(fill);
        return [label, track, share];
      }));
    }
    shares.forEach(([, share], i) => {
      bars.children[3 * i + 1].firstChild.style.width = `${100 * share}%`;
      bars.children[3 * i + 2].textContent = `${Math.round(100 * share)} %`;
    });
  }

  button.addEventListener("click", () => (stream ? stop() : waits || start()));
  return me;
}

export default function ({ data, parentElement, setTriggerValue }) {
  let camera = cameras.get(parentElement);
  if (!camera) {
    camera = makeCamera(parentElement);
    cameras.set(parentElement, camera);
  }
  camera.send = (picture) => setTriggerValue("picture", picture);
  camera.take(data);
  // Whoever leaves the page wants the camera's light off; a mere new answer leaves the element where it is.
  return () => setTimeout(() => { if (!parentElement.isConnected && !parentElement.host?.isConnected) camera.stop(); }, 0);
}
