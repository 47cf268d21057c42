// The line to the class: a socket that comes back by itself as the same participant, and plain requests while it is down.

import { ask } from "./server.js";

const PROTOCOL = "classpulse.v1";
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const SILENCE_MS = 12_000; // the server gives a sign of life every five seconds
const POLL_MS = 5000;

export class Line {
  #secret;
  #socketUrl;
  #hear;
  #socket = null;
  #up = false;
  #over = false;
  #delivers = false;
  #changed = Promise.resolve();
  #tries = 0;
  #timer = 0;
  #silence = 0;
  #poll = 0;
  #unsent = new Map(); // what the class may not have heard yet: the newest of each kind
  #asked = []; // what had been said whenever this socket was asked whether it listens

  /** A participant's line; `hear(kind, more)` is told "up", "down", "state", "no" and "bye". */
  constructor({ secret, socket }, hear) {
    this.#secret = secret;
    this.#socketUrl = new URL(`../${socket}`, import.meta.url);
    this.#socketUrl.protocol = this.#socketUrl.protocol.replace("http", "ws");
    this.#hear = hear;
    addEventListener("online", this.#retry);
    addEventListener("offline", this.#drop);
    addEventListener("pageshow", this.#retry);
    this.#poll = setInterval(() => this.#ask(), POLL_MS);
    this.#open();
  }

  /** Whether messages go out at once. */
  get up() {
    return this.#up;
  }

  /** An answer or a hand: by the socket, else by a request, else as soon as the line is back. */
  async say(message) {
    this.#unsent.set(message.t, message);
    if (this.#up) this.#tell();
    else await this.#deliver();
  }

  /** A reading or a picture: now or never, an old one is of no use. */
  show(message) {
    if (this.#up && this.#socket.bufferedAmount === 0) this.#send(message);
  }

  /** Take part in another way, one after the other; resolves to what is wrong, if anything is. */
  async change(way) {
    this.#changed = this.#changed.then(() => this.#request("POST", "way", { way }));
    return (await this.#changed).wrong ?? "";
  }

  /** Leave the class; with `erase`, what it stored of one goes too. */
  async leave(erase) {
    const { wrong } = await this.#request("DELETE", erase ? "me?erase=true" : "me");
    if (!wrong) this.#end("left");
    return wrong ?? "";
  }

  #request(method, name, body) {
    return ask(method, `/api/v1/join/${name}`, body, { Authorization: `Bearer ${this.#secret}` });
  }

  #send(message) {
    if (!this.#up) return false;
    this.#socket.send(message instanceof Blob ? message : JSON.stringify(message));
    return true;
  }

  /** Say all that may not have been heard. A socket that stalls takes everything: what comes before an "ok" was heard. */
  #tell() {
    if (!this.#unsent.size || this.#delivers) return; // a request that is under way is told first
    for (const message of this.#unsent.values()) this.#send(message);
    this.#asked.push([...this.#unsent.values()]);
    this.#send({ t: "p" });
  }

  #heard(messages = []) {
    for (const message of messages) if (this.#unsent.get(message.t) === message) this.#unsent.delete(message.t);
  }

  #open() {
    clearTimeout(this.#timer);
    if (this.#over || this.#socket) return;
    const socket = new WebSocket(this.#socketUrl, PROTOCOL);
    this.#socket = socket;
    const mine = (act) => (event) => this.#socket === socket && act(event);
    socket.addEventListener("open", mine(() => socket.send(JSON.stringify({ secret: this.#secret }))));
    socket.addEventListener("message", mine(({ data }) => this.#take(JSON.parse(data))));
    socket.addEventListener("close", mine(() => this.#drop()));
    this.#listen();
  }

  /** Whoever says nothing for long is gone, whatever the socket believes. */
  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(this.#drop, SILENCE_MS);
  }

  #take({ t: kind, ...more }) {
    this.#listen();
    if (kind === "bye") {
      this.#end(more.reason);
    } else if (kind === "state") {
      this.#tries = 0;
      const back = !this.#up;
      this.#up = true;
      if (back) this.#hear("up");
      this.#stand(more);
      if (back) this.#tell();
    } else if (kind === "ok") {
      this.#heard(this.#asked.shift());
    } else if (kind === "no") {
      this.#hear("no", more);
    }
  }

  /** How the class knows one, and over it what it has not heard yet. */
  #stand(known) {
    const said = { a: ({ said: one }) => ({ said: one }), h: ({ up }) => ({ hand: up }) };
    this.#hear("state", Object.assign(known, ...[...this.#unsent].map(([sort, message]) => said[sort](message))));
  }

  #drop = () => {
    const socket = this.#socket;
    this.#socket = null;
    this.#up = false;
    this.#asked = [];
    clearTimeout(this.#silence);
    socket?.close();
    if (this.#over) return;
    this.#hear("down");
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries) * (0.6 + 0.8 * Math.random());
    this.#tries += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), wait);
  };

  #retry = () => {
    this.#tries = 0;
    this.#open();
  };

  /** One after the other, so that what is said last is heard last. */
  async #deliver() {
    if (this.#delivers) return;
    this.#delivers = true;
    while (this.#unsent.size && !this.#up && !this.#over && (await this.#post([...this.#unsent.values()][0])));
    this.#delivers = false;
    if (this.#up) this.#tell();
    else if (!this.#unsent.size) await this.#ask();
  }

  /** Whether a message got to the class. */
  async #post(message) {
    const [name, body] = message.t === "a" ? ["answers", { said: message.said }] : ["hand", { up: message.up }];
    const { wrong, status } = await this.#request("POST", name, body);
    if (!status) return false;
    this.#heard([message]);
    if (wrong) this.#refused(status, wrong);
    return true;
  }

  /** Where no socket gets through, a request now and then is a sign of life. */
  async #ask() {
    if (this.#up || this.#over || navigator.onLine === false) return;
    if (this.#unsent.size) {
      await this.#deliver();
      return;
    }
    const { data, wrong, status } = await this.#request("GET", "me");
    if (data && !this.#up && !this.#over) this.#stand({ ...data });
    else if (wrong) this.#refused(status, wrong);
  }

  #refused(status, detail) {
    if (status === 401) this.#end("expired");
    else if (status === 410) this.#end("ended");
    else if (status >= 400) this.#hear("no", { detail });
  }

  #end(reason) {
    if (this.#over) return;
    this.#over = true;
    removeEventListener("online", this.#retry);
    removeEventListener("offline", this.#drop);
    removeEventListener("pageshow", this.#retry);
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    this.#drop();
    this.#hear("bye", { reason });
  }
}
