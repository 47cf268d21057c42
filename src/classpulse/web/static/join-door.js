// Before somebody comes in: what they are told, and how they want to take part.

import { byId, element, setText } from "./dom.js";
import { n, t } from "./i18n.js";
import { obstacle } from "./join-camera.js";
import { cause } from "./join-view.js";

const STORED = 1; // where the notice says what is stored

const WAYS = {
  answers: () => [t("Answers only"), t("Three buttons and a raised hand. No camera.")],
  device: () => [t("Camera, read on my device"), t("Your browser looks at your face and sends numbers: how much it looks like each of seven expressions, and which way you face. No picture leaves your device.")],
  pictures: () => [t("Camera, small pictures"), t("Small pictures go to your teacher's computer, are looked at there and dropped at once. For devices that cannot read by themselves.")],
};

/** A choice of one of the ways that are permitted here; `name` ties its buttons together. */
export function wayChoices(ways, chosen, name) {
  return ways.map((way) => {
    const [title, text] = WAYS[way]();
    const reason = way === "answers" ? "" : obstacle(way);
    const input = element("input", { type: "radio", name, value: way });
    input.checked = way === chosen;
    input.disabled = Boolean(reason);
    const said = reason ? cause(reason).join(". ") : text;
    return element("label", { class: "choice" }, input, element("span", {}, element("b", {}, title), element("span", {}, said)));
  });
}

/** What is stored of whoever takes part in this way; `filmed` says whether a camera was on before. */
export function storedOf(way, { on_leave: onLeave, readings_days: days }, filmed = false) {
  const answers = t("Your answers are stored as numbers under a random mark that is new in every class, and never with your name.");
  const time = n("{n} day", "{n} days", Math.ceil(days));
  const readings = t("What is read of your face is stored too: once a second, as numbers, for {time}. Never a picture.", { time });
  const before = filmed ? t("What was read of your face before stays stored, as numbers, for {time}.", { time }) : "";
  const gone = onLeave === "delete" ? t("When you leave all this is deleted.") : t("When you leave you can have all this deleted.");
  return [answers, way === "answers" ? before : readings, gone].filter(Boolean).join(" ");
}

/** What is told before somebody joins: pairs of a title and a text. */
function noticeOf({ ways, individual }) {
  const camera = ways.some((way) => way !== "answers");
  const faces = individual
    ? t("how many students give each answer, who raises a hand, and of everybody who uses a camera which expression their face shows, each under a number and without a name; of all together, how many face the screen.")
    : t("how many students give each answer, who raises a hand, and, of all who use a camera together, which expressions there are and how many face the screen.");
  return [
    [t("Your teacher sees"), camera ? faces : t("how many students give each answer, and who raises a hand. No camera is used.")],
    [t("What is stored"), ""], // by the way that is chosen
    [t("What never happens"), camera
      ? t("No picture of you is stored, and nothing of this counts for grades or conduct. An expression is a guess about a face, not about what you feel.")
      : t("Nothing of this counts for grades or conduct, and nothing goes to anybody outside this class.")],
    [t("You can stop"), t("at any time, without a reason: leave, or change how you take part.")],
    [t("If you only close this page"), t("you come back as somebody new. What you said last counts until it is five minutes old, and you can no longer have anything from before deleted.")],
  ];
}

/** Say what is stored in the way that is chosen now. */
function showStored(invitation) {
  const way = document.querySelector("#way-choices input:checked")?.value ?? "answers";
  const stored = storedOf(way, invitation);
  setText(byId("notice").children[STORED].lastElementChild, stored);
  setText(byId("way-stored"), way === "answers" ? "" : stored); // said where the choice is made, too: the notice is out of sight there
}

/** Show the door of a class. */
export function showDoor(invitation, named) {
  const { title, ways, names } = invitation;
  byId("class-name").textContent = title ?? "";
  byId("class-name").hidden = !title;
  byId("notice").replaceChildren(...noticeOf(invitation).map(([head, text]) => element("li", {}, element("b", {}, head), element("span", {}, text))));
  byId("name-field").hidden = names === "off";
  byId("name-label").textContent = names === "required" ? t("Your name") : t("Your name (or leave it empty)");
  byId("name").required = names === "required";
  byId("name").value = named;
  byId("ways").hidden = ways.length < 2;
  byId("way-choices").replaceChildren(...wayChoices(ways, ways[0], "way"));
  byId("way-choices").addEventListener("change", () => showStored(invitation));
  showStored(invitation);
}
