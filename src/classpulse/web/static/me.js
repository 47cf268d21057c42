// A person's own page: what is stored about them, and the way out.

import { byId, clock, element } from "./dom.js";
import { ask } from "./server.js";
import { button, confirmed, givenBy, moment, notify, pictures, PURPOSES, standing } from "./words.js";

const token = location.pathname.split("/").pop();
const headers = { Authorization: `Bearer ${token}` };

const item = (text, small, ...more) => element("li", {}, element("p", {}, text, ...(small ? [element("small", {}, small)] : [])), ...more);

function nowRows(me) {
  return [
    me.recognised && me.pictures
      ? item("You are recognised in class", `Your face is stored as numbers, from ${pictures(me.pictures)}. The pictures themselves were not kept.`)
      : item("You are not recognised", me.pictures ? "" : "Nothing of your face is stored."),
    me.named
      ? item("Your name may be shown on the teacher's page", "Where single faces are shown, yours has your name.")
      : item("Your name is not shown on the teacher's page", "You are a number there, as everybody else."),
  ];
}

function consentRow(consent, name) {
  const text = `${givenBy(consent, name)}; ${standing(consent)}.${consent.note ? ` Note: ${consent.note}` : ""}`;
  const row = item(PURPOSES[consent.purpose], text);
  if (consent.stands) {
    const end = button("Withdraw", () => withdraw(consent.purpose), "small");
    end.setAttribute("aria-label", `Withdraw: ${PURPOSES[consent.purpose]}`);
    row.append(end);
  }
  return row;
}

function seenRow(seen) {
  const spans = seen.spans.map((one) => `${clock(one.start_s)} to ${clock(one.end_s)}`).join(", ");
  return item(moment(seen.began_at), `Class ${seen.session_id}, from ${spans}${seen.by_hand ? "; set right by hand" : ""}`);
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
    ? "You are not recognised any more. Your face as numbers is deleted, and what was noted of you becomes nobody's."
    : "Your name is not shown on the teacher's page any more.";
  if (!(await confirmed("Withdraw your consent?", text, "Withdraw"))) return;
  const { data, wrong } = await ask("POST", "/api/v1/me/withdraw", { purpose }, headers);
  await load(wrong ? ["bad", wrong] : ["quiet", "You have withdrawn."], ...(data?.remarks ?? []).map((one) => ["warn", one]));
  byId("title").focus();
}

async function forget() {
  const text = "All that is stored about you is deleted: your name, your consents, your face, and when you were there. It cannot be undone, and this link ends.";
  if (!(await confirmed("Forget you?", text, "Forget me"))) return;
  const { data, wrong } = await ask("POST", "/api/v1/me/forget", { confirm: true }, headers);
  if (wrong) {
    notify(["bad", wrong]);
    return;
  }
  byId("content").hidden = true;
  byId("title").textContent = "You are forgotten";
  byId("lead").textContent = "Nothing about you is stored here any more.";
  notify(...data.remarks.map((one) => ["warn", one]));
  byId("title").focus();
}

async function download() {
  const answer = await fetch("/api/v1/me/export", { headers }).catch(() => null);
  if (!answer?.ok) {
    notify(["bad", answer ? (await answer.json()).detail : "Classpulse cannot be reached. Is it still running?"]);
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
