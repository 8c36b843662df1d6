/** Beside the points: the card of the sample under the cursor, the line of what is selected, and the legend. */

import { portrait, selectionSentence } from "./map_words.js";
import { drawPicture } from "./samples.js";
import { make, setText } from "./theme.js";

const MOST_BARS = 30;

/** The card that tells who a sample is, or what a centroid stands for. */
export class SampleCard {
  constructor() {
    this.picture = make("canvas", { class: "picture" });
    this.name = make("div", { class: "name" });
    this.where = make("div");
    this.bars = make("canvas", { class: "beliefs" });
    const lines = make("div", {}, this.name, this.where, this.bars);
    this.element = make("div", { class: "card", hidden: true, "aria-hidden": "true" }, this.picture, lines);
    this.shown = null;
  }

  /** Show sample `position` of the probe near a place in CSS pixels. */
  show(store, points, position, x, y, { width, height }) {
    this.shown = [store, points, position, x, y, { width, height }];
    const { name, cluster, sure, believes } = portrait(store, points, position);
    setText(this.name, name);
    setText(this.where, `${cluster} (${sure})`);
    drawBeliefs(this.bars, believes, store.palette.clusters);
    drawPicture(this.picture, store, position);
    this.place(x, y, { width, height });
  }

  /** Show two lines instead, near a place. */
  tell(name, text, x, y, size) {
    this.shown = null;
    setText(this.name, name);
    setText(this.where, text);
    this.picture.hidden = this.bars.hidden = true;
    this.place(x, y, size);
  }

  place(x, y, { width, height }) {
    this.element.hidden = false;
    const side = x > width - 250 ? x - this.element.offsetWidth - 14 : x + 14;
    const top = Math.max(4, Math.min(y - this.element.offsetHeight / 2, height - this.element.offsetHeight - 6));
    this.element.style.transform = `translate(${Math.max(4, side)}px, ${top}px)`;
  }

  /** Show the same sample again, now that more is known of it. */
  refresh() {
    if (this.shown) this.show(...this.shown);
  }

  hide() {
    this.shown = null;
    this.element.hidden = true;
  }
}

/** The line under the map: the note on the projection, or what is selected. */
export class SelectionLine {
  constructor() {
    this.note = make("div", { class: "note" });
    this.pictures = [make("canvas", { class: "picture small" }), make("canvas", { class: "picture small" })];
    this.text = make("span", { class: "words" });
    this.bars = make("canvas", { class: "beliefs small" });
    const label = "Select nothing (Escape)";
    this.close = make("button", { type: "button", "aria-label": label, title: label, onclick: () => this.store.selection.clear() }, "✕ clear");
    this.chosen = make("div", { class: "chosen", "data-testid": "selection", hidden: true }, ...this.pictures, this.text, this.bars, this.close);
    this.element = make("div", { class: "under" }, this.note, this.chosen);
  }

  /** Show what is selected at the points on the screen, else a sentence. */
  update(store, points, note) {
    this.store = store;
    setText(this.note, note);
    this.note.title = note;
    const sentence = points ? selectionSentence(store, points) : "";
    this.chosen.hidden = !sentence;
    this.note.hidden = Boolean(sentence);
    if (!sentence) return;
    const { one, pair } = store.selection;
    setText(this.text, sentence);
    this.text.title = sentence;
    const shown = pair ?? (one === null ? [] : [one]);
    this.pictures.forEach((picture, at) => {
      if (at < shown.length) drawPicture(picture, store, shown[at]);
      else picture.hidden = true;
    });
    drawBeliefs(this.bars, shown.length === 1 ? portrait(store, points, one).believes : null, store.palette.clusters);
  }
}

/** Draw what a sample believes, a bar a cluster; each stands on a stub of its colour, so that none is lost. */
function drawBeliefs(canvas, believes, colours) {
  canvas.hidden = !believes || believes.length > MOST_BARS;
  if (canvas.hidden) return;
  const ratio = window.devicePixelRatio || 1;
  const height = 28, wide = Math.max(4, Math.min(11, Math.floor(150 / believes.length)));
  Object.assign(canvas, { width: believes.length * wide * ratio, height: height * ratio });
  Object.assign(canvas.style, { width: `${believes.length * wide}px`, height: `${height}px` });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  believes.forEach((value, cluster) => {
    context.fillStyle = colours[cluster];
    const high = 3 + value * (height - 3);
    context.fillRect(cluster * wide, height - high, wide - 2, high);
  });
}

/** The legend: a button for each colour; pointing at one puts the others back, pressing it selects its samples. */
export class Legend {
  /**
   * @param {(entry: number | null) => void} emphasise called with the entry pointed at
   * @param {(entry: number) => void} choose called with the entry pressed
   */
  constructor(emphasise, choose) {
    Object.assign(this, { emphasise, choose });
    this.entries = [];
    this.element = make("div", { class: "legend", role: "group", "aria-label": "Colours; press one to select its samples" });
  }

  /** Show entries `{colour, name, count, chosen}` of clusters or classes; buttons are kept while their number stays. */
  update(entries, kind = "clusters") {
    this.element.dataset.kind = kind;
    if (this.entries.length !== entries.length) {
      this.entries = entries.map((_, at) => this.entry(at));
      this.element.replaceChildren(...this.entries.map(({ button }) => button));
    }
    const singular = kind === "classes" ? "class" : "cluster";
    entries.forEach(({ colour, name, count, chosen }, at) => {
      const entry = this.entries[at];
      entry.swatch.style.setProperty("--colour", colour);
      setText(entry.name, name);
      setText(entry.count, String(count));
      entry.button.title = `${singular} ${name}: ${count} samples of the probe; press to select them`;
      entry.button.setAttribute("aria-pressed", String(Boolean(chosen)));
    });
  }

  entry(at) {
    const swatch = make("span", { class: "swatch" }), name = make("span", { class: "entry" });
    const count = make("span", { class: "cl-quiet cl-numbers" });
    const button = make("button", {
      type: "button", onpointerenter: () => this.emphasise(at), onpointerleave: () => this.emphasise(null),
      onfocus: () => this.emphasise(at), onblur: () => this.emphasise(null), onclick: () => this.choose(at),
    }, swatch, name, count);
    return { button, swatch, name, count };
  }
}
