// How a class does, as the pages of a school show it: a pill, a line, and what can be done with it.

import { clock, element, setText } from "./dom.js";
import { WORDS } from "./following.js";
import { n, t } from "./i18n.js";
import { ask } from "./server.js";
import { confirmed } from "./words.js";

const PHASES = {
  none: ["quiet", t("Not started")],
  asked: ["warn", t("Waiting")],
  left: ["warn", t("Goes on soon")],
  left_paused: ["warn", t("Goes on soon")],
  starting: ["quiet", t("Starting")],
  running: ["good", t("Running")],
  paused: ["warn", t("Paused")],
  ended: ["quiet", t("Ended")],
};

export const phaseOf = (course) => course.run?.phase ?? "none";

export const isLive = (course) => !["none", "ended"].includes(phaseOf(course));

/** The word for what a class does now. */
export const phaseWord = (course) => (PHASES[phaseOf(course)] ?? PHASES.none)[1];

export function showPill(pill, course) {
  pill.dataset.tone = (PHASES[phaseOf(course)] ?? PHASES.none)[0];
  setText(pill, phaseWord(course));
}

/** People who are seen, where there is a camera, and students who take part by link. */
function howMany({ source, run: { people, students } }) {
  const seen = source === "join" || people === null ? "" : n("{n} person", "{n} people", people);
  const joined = students || (source === "join" && students !== null) ? n("{n} student", "{n} students", students) : "";
  return [seen, joined].filter(Boolean).join(" · ");
}

/** A line on a class that runs: how long, how many, and how it follows. */
export function lineOf(course) {
  if (!isLive(course) || !course.run) return "";
  return [clock(course.run.elapsed_s), howMany(course), WORDS[course.run.word] ?? ""].filter(Boolean).join(" · ");
}

const SOURCES = { demo: t("The demo"), join: t("Students' own devices") };

/** What a class's source is called. */
export function sourceWord(source) {
  if (source === null) return "";
  return SOURCES[source] ?? (/^\d+$/.test(source) ? t("Webcam {number}", { number: source }) : source);
}

/** Begin a class; resolves to an empty text or to what is wrong. */
export const begin = async (course) => (await ask("POST", `/api/v1/courses/${course.slug}/start`)).wrong ?? "";

/** End a class, after a yes; resolves to what is wrong, to an empty text, or to null without a yes. */
export async function end(course) {
  const title = t("End {name}?", { name: course.name });
  if (!(await confirmed(title, t("Nothing more is read. What has been stored is kept."), t("End the class")))) return null;
  return (await ask("POST", `/api/v1/courses/${course.slug}/stop`)).wrong ?? "";
}

/** A link that looks like a button. */
export const link = (text, href, className = "") => element("a", { class: `button ${className}`.trim(), href }, text);
