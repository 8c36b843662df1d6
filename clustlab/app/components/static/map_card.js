/** Beside the points: the card of the sample under the cursor, the line of the one selected, and the legend. */

import { make, setText } from "./theme.js";

const NO_CLUSTER = 65535;
const MOST_BARS = 30;

/** Who a sample is: `{name, cluster, sure, image, believes}` at the points of a frame. */
function portrait(store, points, position) {
  const { sample } = store;
  const label = points.labels[position];
  const believes = store.beliefs.of(points.frame, position, points.k);
  return {
    name: `#${sample?.index?.[position] ?? position}${sample?.y ? ` “${className(sample, sample.y[position])}”` : ""}`,
    cluster: label === NO_CLUSTER ? "no cluster" : `cluster ${label}`,
    sure: (believes ? Math.max(...believes) : points.confidence[position] / 255).toFixed(2),
    believes: believes && believes.length <= MOST_BARS ? believes : null,
  };
}

/** The card that tells who a sample is. */
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

/** The line under the map: the note on the projection, or the sample selected. */
export class SelectionLine {
  constructor() {
    this.note = make("div", { class: "note" });
    this.picture = make("canvas", { class: "picture small" });
    this.text = make("span");
    this.bars = make("canvas", { class: "beliefs small" });
    this.close = make("button", { type: "button", "aria-label": "Select nothing (Escape)", title: "Select nothing (Escape)", onclick: () => this.store.select(null) }, "✕");
    this.chosen = make("div", { class: "chosen", "data-testid": "selection", hidden: true }, this.picture, this.text, this.bars, this.close);
    this.element = make("div", { class: "under" }, this.note, this.chosen);
  }

  /** Show the sample selected at the points on the screen, else a sentence. */
  update(store, points, note) {
    this.store = store;
    setText(this.note, note);
    this.note.title = note;
    const position = store.selected;
    const shown = points && position !== null && position < points.n;
    this.chosen.hidden = !shown;
    this.note.hidden = Boolean(shown);
    if (!shown) return;
    const { name, cluster, sure, believes } = portrait(store, points, position);
    setText(this.text, `selected: ${name} → ${cluster} (${sure})`);
    drawPicture(this.picture, store, position);
    drawBeliefs(this.bars, believes, store.palette.clusters);
  }
}

/** Draw a sample of the probe with its own pixels; hide the picture where the data has none. */
function drawPicture(canvas, { sample, thumbnails }, position) {
  const shape = thumbnails && sample?.thumbnails;
  canvas.hidden = !shape;
  if (!shape) return;
  const [, height, width, channels = 1] = shape;
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const start = position * height * width * channels;
  for (let pixel = 0; pixel < height * width; pixel += 1) {
    for (let part = 0; part < 3; part += 1) {
      image.data[4 * pixel + part] = thumbnails[start + pixel * channels + (channels === 3 ? part : 0)];
    }
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** Draw what a sample believes, a bar a cluster; each stands on a stub of its colour, so that none is lost. */
function drawBeliefs(canvas, believes, colours) {
  canvas.hidden = !believes;
  if (!believes) return;
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

/** Name of a class, or its number where it has none. */
export function className(sample, number) {
  return sample.class_names[number] ?? String(number);
}

/** The legend: a button for each colour; pointing at one puts the others back. */
export class Legend {
  /** @param {(entry: number | null) => void} emphasise called with the entry pointed at */
  constructor(emphasise) {
    this.emphasise = emphasise;
    this.entries = [];
    this.element = make("div", { class: "legend", role: "group", "aria-label": "Colours" });
  }

  /** Show entries `{colour, name, count}` of clusters or classes; buttons are kept while their number stays. */
  update(entries, kind = "clusters") {
    this.element.dataset.kind = kind;
    if (this.entries.length !== entries.length) {
      this.entries = entries.map((_, at) => {
        const swatch = make("span", { class: "swatch" }), name = make("span", { class: "entry" });
        const count = make("span", { class: "cl-quiet cl-numbers" });
        const button = make("button", {
          type: "button", onpointerenter: () => this.emphasise(at), onpointerleave: () => this.emphasise(null),
          onfocus: () => this.emphasise(at), onblur: () => this.emphasise(null),
        }, swatch, name, count);
        return { button, swatch, name, count };
      });
      this.element.replaceChildren(...this.entries.map(({ button }) => button));
    }
    const singular = kind === "classes" ? "class" : "cluster";
    entries.forEach(({ colour, name, count }, at) => {
      const entry = this.entries[at];
      entry.swatch.style.setProperty("--colour", colour);
      setText(entry.name, name);
      setText(entry.count, String(count));
      entry.button.title = `${singular} ${name}: ${count} samples of the probe`;
    });
  }
}
