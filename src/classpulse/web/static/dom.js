// Elements, and the text in them.

export const byId = (id) => document.getElementById(id);

/** An element with attributes (`data-*` included) and children; text is never read as HTML. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Put a list's elements in their order, and leave those where they are that are there, so that nobody loses their place. */
export function arrange(list, wanted) {
  for (const one of [...list.children]) if (!wanted.includes(one)) one.remove();
  wanted.forEach((one, i) => list.children[i] !== one && list.insertBefore(one, list.children[i] ?? null));
}

/** Change a text only when it differs, so that screen readers and layout are left alone. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A text without its numbers: "trying again in 4 s" is no news after "in 5 s", and nobody wants to hear it each second. */
export const unnumbered = (text) => text.replace(/\p{N}+/gu, "");

const RETRY_MS = 2_000;

const parts = new Map();

/** A module, as soon as it comes: one that was lost on the way is asked for again. */
export async function fetched(name) {
  for (;;) {
    try {
      return await import(`./${name}.js`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
}

/** A part of the page that few need, its sheet and its module; fetched when it is needed, and once. */
export function part(name) {
  if (!parts.has(name)) {
    const sheet = element("link", { rel: "stylesheet", href: new URL(`${name}.css`, import.meta.url).href });
    const dressed = new Promise((resolve) => ["load", "error"].forEach((event) => sheet.addEventListener(event, resolve)));
    document.head.append(sheet);
    parts.set(name, dressed.then(() => fetched(name)));
  }
  return parts.get(name);
}

const SVG = "http://www.w3.org/2000/svg";

/** A symbol of the page's sprite. */
export function icon(name, className = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  if (className) svg.setAttribute("class", className);
  svg.append(document.createElementNS(SVG, "use"));
  setIcon(svg, name);
  return svg;
}

export function setIcon(svg, name) {
  const use = svg.firstElementChild;
  if (use.getAttribute("href") !== `#${name}`) use.setAttribute("href", `#${name}`);
}

/** The seconds that are over at a time. */
export const shownSeconds = (seconds) => Math.max(0, Math.floor(seconds + 0.0005));

/** Minutes and seconds that are over, with hours where there are any: 4:05, 1:04:05. Reports do the same. */
export function clock(seconds) {
  const whole = shownSeconds(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
