// A person's own page: what is stored about them, and the way out.

import { byId, clock, element } from "./dom.js";
import { t } from "./i18n.js";
import { ask, at } from "./server.js";
import { button, confirmed, givenBy, moment, notify, pictures, PURPOSES, standing } from "./words.js";

const token = location.pathname.split("/").pop();
const headers = { Authorization: `Bearer ${token}` };

const item = (text, small, ...more) => element("li", {}, element("p", {}, text, ...(small ? [element("small", {}, small)] : [])), ...more);

function nowRows(me) {
  return [
    me.recognised && me.pictures
      ? item(t("You are recognised in class"), t("Your face is stored as numbers, from {pictures}. The pictures themselves were not kept.", { pictures: pictures(me.pictures) }))
      : item(t("You are not recognised"), me.pictures ? "" : t("Nothing of your face is stored.")),
    me.named
      ? item(t("Your name may be shown on the teacher's page"), t("Where single faces are shown, yours has your name."))
      : item(t("Your name is not shown on the teacher's page"), t("You are a number there, as everybody else.")),
  ];
}

function consentRow(consent, name) {
  const note = consent.note ? [element("small", {}, t("Note: {note}", { note: consent.note }))] : [];
  const row = item(PURPOSES[consent.purpose], `${givenBy(consent, name)}; ${standing(consent)}`, ...note);
  if (consent.stands) {
    const end = button(t("Withdraw"), () => withdraw(consent.purpose), "small");
    end.setAttribute("aria-label", t("Withdraw: {purpose}", { purpose: PURPOSES[consent.purpose] }));
    row.append(end);
  }
  return row;
}

function seenRow(seen) {
  const spans = seen.spans.map((one) => t("{start} to {end}", { start: clock(one.start_s), end: clock(one.end_s) })).join(", ");
  const [id, by_hand] = [seen.session_id, seen.by_hand];
  return item(moment(seen.began_at), by_hand ? t("Class {id}, from {spans}; set right by hand", { id, spans }) : t("Class {id}, from {spans}", { id, spans }));
}

function show(me) {
  byId("title").textContent = me.name;
  byId("now").replaceChildren(...nowRows(me));
  byId("consents").replaceChildren(...me.consents.map((one) => consentRow(one, me.name)));
  byId("seen").replaceChildren(...me.seen.map(seenRow));
  byId("never").hidden = me.seen.length > 0;
  byId("withdraw").disabled = !me.consents.some((one) => one.stands);
  byId("content").hidden = false;
}

/** Read one's own data again; notices are shown above it. */
async function load(...notices) {
  const { data, wrong } = await ask("GET", "/api/v1/me", undefined, headers);
  notify(...notices, ["bad", wrong]);
  byId("content").hidden = Boolean(wrong);
  byId("lead").hidden = Boolean(wrong);
  if (data) show(data);
}

async function withdraw(purpose) {
  const recognition = purpose !== "individual";
  const text = recognition
    ? t("You are not recognised any more. Your face as numbers is deleted, and what was noted of you becomes nobody's.")
    : t("Your name is not shown on the teacher's page any more.");
  if (!(await confirmed(t("Withdraw your consent?"), text, t("Withdraw")))) return;
  const { data, wrong } = await ask("POST", "/api/v1/me/withdraw", { purpose }, headers);
  await load(wrong ? ["bad", wrong] : ["quiet", t("You have withdrawn.")], ...(data?.remarks ?? []).map((one) => ["warn", one]));
  byId("title").focus();
}

async function forget() {
  const text = t("All that is stored about you is deleted: your name, your consents, your face, and when you were there. It cannot be undone, and this link ends.");
  if (!(await confirmed(t("Forget you?"), text, t("Forget me")))) return;
  const { data, wrong } = await ask("POST", "/api/v1/me/forget", { confirm: true }, headers);
  if (wrong) {
    notify(["bad", wrong]);
    return;
  }
  byId("content").hidden = true;
  byId("title").textContent = t("You are forgotten");
  byId("lead").textContent = t("Nothing about you is stored here any more.");
  notify(...data.remarks.map((one) => ["warn", one]));
  byId("title").focus();
}

async function download() {
  const answer = await fetch(at("/api/v1/me/export"), { headers }).catch(() => null);
  if (!answer?.ok) {
    notify(["bad", answer ? (await answer.json()).detail : t("Classpulse cannot be reached. Is it still running?")]);
    return;
  }
  const link = element("a", { href: URL.createObjectURL(await answer.blob()), download: "classpulse-my-data.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

byId("withdraw").addEventListener("click", () => withdraw(null));
byId("forget").addEventListener("click", forget);
byId("download").addEventListener("click", download);
await load();
