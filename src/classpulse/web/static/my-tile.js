// A meeting in a window: which tile is the teacher's own. Tiles are shown by where they are, never by a picture.

import { byId, element, setText } from "./dom.js";
import { t } from "./i18n.js";
import { ask } from "./server.js";

const EVERY_MS = 1000; // and only while somebody chooses
const STATES = { live: t("with somebody"), still: t("a picture that does not move"), empty: t("with nobody") };

let shown = "";

/** Show the tiles in the dialog: a plan of the window, with a button for each. */
function showTiles({ tiles, own }) {
  setText(byId("own-tile-now"), own === null ? t("If your own tile is in the window, your face is counted too.") : t("Your own tile is left out."));
  byId("own-tile-none").disabled = own === null;
  if (shown === JSON.stringify(tiles)) return;
  shown = JSON.stringify(tiles);
  const focused = document.activeElement?.dataset.tile;
  byId("own-tile-plan").replaceChildren(...tiles.map(button));
  if (focused) byId("own-tile-plan").querySelector(`[data-tile="${focused}"]`)?.focus();
  byId("own-tile-empty").hidden = tiles.length > 0;
}

function button({ number, box: [x0, y0, x1, y1], state, own }, i) {
  const made = element("button", {
    type: "button",
    class: "tile",
    "data-tile": number,
    "data-state": state,
    "aria-pressed": String(own),
    "aria-label": t("Tile {place}, {what}", { place: i + 1, what: STATES[state] }),
  });
  const share = (value) => `${(100 * value).toFixed(2)}%`;
  made.style.left = share(x0);
  made.style.top = share(y0);
  made.style.width = share(x1 - x0);
  made.style.height = share(y1 - y0);
  made.append(element("span", {}, own ? t("me") : String(i + 1)));
  made.addEventListener("click", () => choose(own ? null : number));
  return made;
}

async function choose(number) {
  const { wrong } = await ask("PUT", "/api/v1/screen/own", { number });
  setText(byId("own-tile-error"), wrong ?? "");
  refresh();
}

async function refresh() {
  const { data } = await ask("GET", "/api/v1/screen");
  if (data?.tiles) showTiles(data);
  return Boolean(data?.tiles);
}

/** Where the class is a meeting in a window, offer to choose; elsewhere there is nothing to see. */
export async function prepareMyTile() {
  if (!(await refresh())) return;
  byId("own-tile").hidden = false;
  const dialog = byId("own-tile-dialog");
  byId("own-tile-none").addEventListener("click", () => choose(null));
  byId("own-tile-choose").addEventListener("click", () => {
    dialog.showModal();
    refresh();
    const timer = setInterval(refresh, EVERY_MS);
    dialog.addEventListener("close", () => clearInterval(timer), { once: true });
  });
}
