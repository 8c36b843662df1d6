/** Tools in a corner of the map: the lasso, and what the keys do. */

import { KEYS } from "./map_words.js";
import { make } from "./theme.js";

let count = 0;

export class MapTools {
  /** @param {MapHands} hands the hands that take the lasso; @param {HTMLElement} canvas what the keys belong to */
  constructor(hands, canvas) {
    count += 1;
    const name = `map-keys-${count}`;
    this.lasso = make("button", {
      type: "button", "aria-pressed": "false", title: "Draw a lasso around many samples (or shift and drag)",
      onclick: () => {
        hands.take(!hands.tool);
        this.lasso.setAttribute("aria-pressed", String(hands.tool));
      },
    }, "lasso");
    this.keys = make("button", {
      type: "button", "aria-expanded": "false", "aria-controls": name, title: "What keys and mouse do on the map",
      onclick: () => this.unfold(this.list.hidden),
      onkeydown: (event) => event.key === "Escape" && this.unfold(false),
    }, "keys");
    this.list = make("dl", { class: "keys", id: name, hidden: true }, ...KEYS.map(([key, act]) => make("div", {}, make("dt", {}, key), make("dd", {}, act))));
    canvas.setAttribute("aria-describedby", name);
    this.element = make("div", { class: "tools", role: "group", "aria-label": "Tools of the map" }, this.lasso, this.keys);
  }

  unfold(open) {
    this.list.hidden = !open;
    this.keys.setAttribute("aria-expanded", String(open));
  }
}
