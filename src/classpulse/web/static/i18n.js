// The page's language: `t` and `n` translate, the rest writes numbers and dates as is usual in it.
//
// Texts are written in English, as they are shown: t("Class {id}", { id: 3 }), n("{n} answer", "{n} answers", count).
// The first argument is always a plain string in double quotes: the catalogues are made of those. In HTML, `data-t` marks
// an element whose text is translated (with a value, in that context: `data-t="a student says"`), and
// `data-t-attr="title aria-label"` attributes that are; the server does those.
// An element with `data-languages` becomes the menu of languages.

/** The page's language, a BCP 47 tag; "en" is as written. */
export const language = document.documentElement.lang || "en";

/** The language for `Intl`: English as in Britain, the mirrored one with its own direction and English figures. */
export const locale = { en: "en-GB", "qps-plocm": "en-GB" }[language] ?? language;

// They come by a script of their own, before this one: a page that fetched them would be there, and deaf, in the meantime.
// Where that one did not come, a page in English is better than none.
const { messages, plurals, languages } = globalThis.classpulseTexts ?? { messages: {}, plurals: "", languages: {} };

const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));

/** A text in the page's language, with `values` in its places. */
export function t(pattern, values = {}) {
  return fill(typeof messages[pattern] === "string" ? messages[pattern] : pattern, values);
}

/** A text about `count` of something; its place {n} takes the number as it is written in the language. */
export function n(one, many, count, values = {}) {
  const found = messages[one];
  const form = Number(plurals[count < plurals.length ? count : 100 + (count % 100)] ?? 0);
  const pattern = Array.isArray(found) ? found[1 + form] : count === 1 ? one : many;
  return fill(pattern, { n: number(count), ...values });
}

const formats = new Map();

function format(make, options) {
  const key = make.name + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new make(locale, options));
  return formats.get(key);
}

/** A number, with so many digits behind the decimal mark. */
export const number = (value, digits = 0) =>
  format(Intl.NumberFormat, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

export const percent = (share, digits = 0) =>
  format(Intl.NumberFormat, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(share);

/** A date, a time or both, with the options of `Intl.DateTimeFormat`. */
export const date = (iso, options) => format(Intl.DateTimeFormat, options).format(new Date(iso));

/** Show the page in another language; the server keeps the choice in a cookie, so that all it says is in it. */
function choose(chosen) {
  const address = new URL(location.href);
  address.searchParams.set("lang", chosen);
  location.replace(address);
}

/** Take the choice out of the address once it is made. */
function tidyAddress() {
  const address = new URL(location.href);
  if (!address.searchParams.has("lang")) return;
  address.searchParams.delete("lang");
  history.replaceState(null, "", address);
}

/** Make the menu of languages in every element that asks for one. */
function addMenus() {
  for (const place of document.querySelectorAll("[data-languages]")) {
    const menu = document.createElement("select");
    for (const [tag, name] of Object.entries(languages)) {
      const option = new Option(name, tag, false, tag === language);
      option.lang = tag;
      menu.append(option);
    }
    menu.id = "language";
    menu.addEventListener("change", () => choose(menu.value));
    const label = document.createElement("label");
    label.append(Object.assign(document.createElement("span"), { textContent: t("Language") }), menu);
    place.replaceChildren(label);
  }
}

tidyAddress();
addMenus();
