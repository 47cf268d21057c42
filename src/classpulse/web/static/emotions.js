// The emotions as this page shows them: always in one order, with one colour and one face each.

import { icon } from "./dom.js";
import { t } from "./i18n.js";

// From bright to dark, so that a glance at the bar says how much of it leans which way.
export const ORDER = ["happy", "surprise", "neutral", "sad", "fear", "disgust", "angry"];

const NAMES = {
  happy: t("happy"),
  surprise: t("surprise"),
  neutral: t("neutral"),
  sad: t("sad"),
  fear: t("fear"),
  disgust: t("disgust"),
  angry: t("angry"),
  uncertain: t("uncertain"),
};

/** The name of an emotion, or of "uncertain". */
export const nameOf = (label) => NAMES[label] ?? label;

/** A model's labels in the order of the page; those that the page does not know come last. */
export function inOrder(labels) {
  const rank = (label) => (ORDER.includes(label) ? ORDER.indexOf(label) : ORDER.length);
  return [...labels].sort((a, b) => rank(a) - rank(b));
}

/** The drawn face of an emotion, of "uncertain" or of "unread". */
export function face(label) {
  const known = ORDER.includes(label) || label === "unread" ? label : "uncertain";
  const svg = icon(`face-${known}`, "face");
  svg.dataset.emotion = label;
  return svg;
}

/** An emotion's colour in the theme of the moment. */
export function colour(label) {
  const name = ORDER.includes(label) ? label : "uncertain";
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
