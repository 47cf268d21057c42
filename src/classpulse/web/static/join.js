// The student's page: by a code through the door into the class, and out again.

import { byId, element, setText } from "./dom.js";
import { t } from "./i18n.js";
import { Camera } from "./join-camera.js";
import { showDoor, storedOf, wayChoices } from "./join-door.js";
import { Line } from "./join-line.js";
import { prepareShares, showCamera, showReading } from "./join-view.js";
import { ask } from "./server.js";

const code = decodeURIComponent(location.pathname.split("/").pop());
const api = `/api/v1/join/${encodeURIComponent(code)}`;
const SCREENS = ["wait", "find", "door", "room", "over"];

let line = null;
let camera = null;
let invitation = null;
let membership = null;
let met = false; // whether there was a line to the class before
let filmed = false; // whether a camera was ever on in this class
let erased = false; // whether leaving deletes what was answered
let wishes = 0; // counted up with every way that is chosen, and with leaving and the end
let standing = { phase: "running", way: "answers", said: null, hand: false };


function show(screen) {
  for (const id of SCREENS) byId(id).hidden = id !== screen;
  byId("leave").hidden = screen !== "room";
  byId("line").hidden = screen !== "room";
  byId(`${screen}-title`).focus();
}

// What this tab remembers, so that a page that is loaded again is the same participant.
const place = `classpulse.join.${code}`;

function recalled() {
  try {
    return JSON.parse(sessionStorage.getItem(place));
  } catch {
    return null;
  }
}

function keep(mine) {
  membership = mine;
  try {
    if (mine) sessionStorage.setItem(place, JSON.stringify({ membership: mine, invitation }));
    else sessionStorage.removeItem(place);
  } catch {
    // A browser that keeps nothing asks again after a reload.
  }
}

const FAREWELLS = {
  ended: () => [t("The class is over"), t("Thank you for taking part.")],
  left: () => [t("You have left"), leavingHasDone()],
  removed: () => [t("Your teacher has closed your place"), t("You may come in again by the link, if it is still open.")],
  elsewhere: () => [t("You take part on another page"), t("It is open in another tab or window; this one has stopped.")],
  expired: () => [t("Your place in the class has gone"), t("Come in again by the link, if it is still open.")],
};

function leavingHasDone() {
  const forgotten = filmed ? t("Your camera is off, and your name is forgotten.") : t("Your name is forgotten.");
  if (!erased) return forgotten;
  const gone = filmed ? t("Your answers of this class and what was read of your face are deleted.") : t("Your answers of this class are deleted.");
  return `${forgotten} ${gone}`;
}

function end(title, text, again) {
  wishes += 1;
  camera?.start("answers");
  byId("sure").close();
  byId("over-title").textContent = title;
  byId("over-text").textContent = text;
  byId("over-again").hidden = !again;
  show("over");
}

function farewell(reason) {
  if (reason !== "elsewhere") keep(null);
  const [title, text] = (FAREWELLS[reason] ?? FAREWELLS.expired)();
  end(title, text, reason !== "ended");
}

// In the class.

function showLine(up) {
  met ||= up;
  const paused = standing.phase === "paused";
  byId("line").dataset.tone = up ? (paused ? "warn" : "good") : met ? "bad" : "quiet";
  setText(byId("line"), !up ? (met ? t("Connecting again …") : t("Connecting")) : paused ? t("Class is paused") : t("In class"));
}

function showStanding() {
  for (const button of byId("said").children) button.setAttribute("aria-pressed", String(button.dataset.said === standing.said));
  byId("hand").setAttribute("aria-pressed", String(standing.hand));
  setText(byId("hand-word"), standing.hand ? t("Your hand is up. Lower it") : t("Raise your hand"));
  for (const input of byId("change-choices").querySelectorAll("input")) input.checked = input.value === standing.way;
  setText(byId("change-stored"), storedOf(standing.way, invitation, filmed));
}

function saidNote(up) {
  if (!standing.said) return t("Your teacher sees how many say what, and not who.");
  return up ? t("Told. It counts for five minutes, or until you choose another.") : t("It will be told as soon as the connection is back.");
}

function hear(kind, more) {
  if (kind === "bye") farewell(more.reason);
  if (kind === "bye") return;
  if (kind === "no") setText(byId("said-note"), more.detail);
  if (kind === "state") {
    standing = { ...standing, ...more };
    if (!byId("camera").hidden && standing.way === "answers") camera.start("answers");
    camera.rest(standing.phase !== "running");
    showStanding();
  }
  showLine(line?.up ?? false);
  if (kind !== "no") setText(byId("said-note"), saidNote(line?.up ?? false));
}

function say(change, message) {
  standing = { ...standing, ...change };
  showStanding();
  setText(byId("said-note"), saidNote(line.up));
  line.say(message);
}

function watch(kind, more = {}) {
  const labels = invitation.models?.emotion.labels ?? [];
  if (kind === "send") line.show(more.message);
  else if (kind === "seen") showReading(more, labels);
  else showCamera(kind, more, standing.way);
}

async function changeWay(way) {
  wishes += 1;
  const mine = wishes;
  if (way === "answers") camera.start(way); // whoever wants no camera waits for nobody
  const wrong = await line.change(way);
  if (mine !== wishes) return; // another way was chosen meanwhile, or this is over
  setText(byId("change-error"), wrong);
  if (!wrong) {
    standing.way = way;
    filmed ||= way !== "answers";
    keep({ ...membership, way, filmed });
  }
  showStanding();
  await camera.start(standing.way);
}

function enter(mine) {
  const { way } = mine;
  filmed = mine.filmed || way !== "answers";
  keep({ ...mine, filmed });
  standing = { ...standing, way, phase: invitation.phase };
  camera = new Camera(invitation, watch);
  camera.rest(standing.phase !== "running");
  line = new Line(mine, hear);
  byId("change").hidden = invitation.ways.length < 2;
  byId("change-choices").replaceChildren(...wayChoices(invitation.ways, way, "change"));
  if (invitation.models) prepareShares(invitation.models.emotion.labels);
  showStanding();
  showLine(false);
  setText(byId("said-note"), saidNote(true));
  show("room");
  camera.start(way);
}

/** What leaving does, as it is said before. */
function leavingDoes(keeps) {
  const forgotten = filmed ? t("Your camera goes off and your name is forgotten.") : t("Your name is forgotten.");
  const gone = filmed ? t("Your answers of this class and what was read of your face are deleted.") : t("Your answers of this class are deleted.");
  const stays = t("Figures of the whole class that were shown before stay.");
  return [forgotten, ...(keeps ? [] : [gone]), stays].join(" ");
}

async function leave() {
  const keeps = invitation.on_leave !== "delete";
  byId("sure-text").textContent = leavingDoes(keeps);
  byId("erase-field").hidden = !keeps;
  setText(byId("erase-what"), filmed ? t("Delete my answers of this class and what was read of my face too") : t("Delete my answers of this class too"));
  byId("erase").checked = false;
  const dialog = byId("sure");
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  if (dialog.returnValue !== "yes") return;
  erased = !keeps || byId("erase").checked;
  wishes += 1;
  const mine = wishes;
  camera.start("answers"); // at once: nobody who leaves is looked at until the class has heard of it
  const wrong = await line.leave(byId("erase").checked);
  if (!wrong || mine !== wishes) return;
  setText(byId("said-note"), wrong);
  await camera.start(standing.way);
}

// Before the class.

async function join(event) {
  event.preventDefault();
  const way = document.querySelector("#way-choices input:checked")?.value ?? "answers";
  const body = { way, ...(invitation.names === "off" ? {} : { name: byId("name").value.trim() }) };
  byId("enter").disabled = true;
  byId("door-error").textContent = "";
  const { data, wrong } = await ask("POST", api, body);
  byId("enter").disabled = false;
  if (wrong) {
    byId("door-error").textContent = wrong;
    return;
  }
  enter({ ...data, way });
}

async function begin() {
  if (!code) {
    show("find");
    return;
  }
  const known = recalled();
  if (known?.membership) {
    invitation = known.invitation;
    enter(known.membership);
    return;
  }
  const { data, wrong, status } = await ask("GET", api);
  if (wrong) {
    end(status === 404 ? t("This link leads to no class") : t("You cannot come in now"), wrong, true);
    // The same code would lead nowhere again.
    if (status === 404) byId("over-again").href = "./";
    if (status === 404) byId("over-again").textContent = t("Type another code");
    return;
  }
  invitation = data;
  showDoor(invitation, "");
  show("door");
}

byId("find-form").addEventListener("submit", (event) => {
  event.preventDefault();
  location.assign(encodeURIComponent(byId("code").value.replace(/[\s-]/g, "").toUpperCase()));
});
byId("door").addEventListener("submit", join);
byId("said").addEventListener("click", (event) => {
  const { said } = event.target.closest("button")?.dataset ?? {};
  if (said) say({ said }, { t: "a", said });
});
byId("hand").addEventListener("click", () => say({ hand: !standing.hand }, { t: "h", up: !standing.hand }));
byId("change-choices").addEventListener("change", (event) => changeWay(event.target.value));
byId("again").addEventListener("click", () => camera.start(standing.way));
byId("leave").addEventListener("click", leave);
begin();
