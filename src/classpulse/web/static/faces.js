// The individual view: one card for each face, with a number and no picture; a name only where somebody agreed to it.

import { byId, element, setIcon, setText } from "./dom.js";
import { face, inOrder, nameOf } from "./emotions.js";
import { percent, t } from "./i18n.js";

const KEEP_MS = 1500; // a face that is hidden for a moment keeps its card, dimmed

const cards = new Map(); // track -> { node, seen }

function build(labels) {
  const bars = inOrder(labels).map((label) =>
    element("span", { "data-emotion": label, title: nameOf(label) }, element("span", { class: "bar" }, element("i")), face(label)),
  );
  return element(
    "li",
    { class: "person" },
    element("div", { class: "who num" }, element("span"), element("span", { class: "size" })),
    element("div", { class: "word" }, face("unread"), element("span")),
    element("div", { class: "bars", "aria-hidden": "true" }, ...bars),
  );
}

function update(node, card, labels) {
  const [who, word, bars] = node.children;
  const name = card.emotion ?? "unread";
  const number = t("Face {track}", { track: card.track });
  setText(who.firstElementChild, card.name ?? number);
  who.firstElementChild.title = card.name ? number : "";
  setText(who.lastElementChild, `${card.size_px} px`);
  setIcon(word.firstElementChild, `face-${name}`);
  word.firstElementChild.dataset.emotion = name;
  setText(word.lastElementChild, card.emotion ? nameOf(card.emotion) : t("not read"));
  inOrder(labels).forEach((label, i) => {
    bars.children[i].style.setProperty("--share", card.probabilities?.[label] ?? 0);
    bars.children[i].title = `${nameOf(label)} ${percent(card.probabilities?.[label] ?? 0)}`;
  });
}

let known = [];

/** Show the faces of the newest picture. */
export function showFaces(faces) {
  const at = performance.now();
  const labels = Object.keys(faces.find((card) => card.probabilities)?.probabilities ?? {});
  if (labels.length && labels.join() !== known.join()) {
    known = labels;
    cards.clear();
    byId("cards").replaceChildren();
  }
  for (const card of faces) {
    const entry = cards.get(card.track) ?? { node: build(known) };
    entry.seen = at;
    cards.set(card.track, entry);
    update(entry.node, card, known);
  }
  arrange(at);
}

function arrange(at) {
  for (const [track, { node, seen }] of cards) {
    node.toggleAttribute("data-gone", seen < at);
    if (at - seen > KEEP_MS) {
      node.remove();
      cards.delete(track);
    }
  }
  [...cards.keys()].sort((a, b) => a - b).forEach((track, i) => {
    const { node } = cards.get(track);
    const there = byId("cards").children[i];
    if (there !== node) byId("cards").insertBefore(node, there ?? null);
  });
  byId("no-cards").hidden = cards.size > 0;
}
