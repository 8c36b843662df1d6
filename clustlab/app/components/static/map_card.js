/** Beside the points: the card of the sample under the cursor, and the legend. */

import { make, setText } from "./theme.js";

/** The card that tells who a sample is. */
export class SampleCard {
  constructor() {
    this.picture = make("canvas", { class: "picture" });
    this.lines = make("div");
    this.element = make("div", { class: "card", hidden: true, "aria-hidden": "true" }, this.picture, this.lines);
  }

  /** Show sample `position` of the probe near a place in CSS pixels. */
  show(store, points, position, x, y, { width, height }) {
    const { sample } = store;
    const rows = [`#${sample?.index?.[position] ?? position}`];
    const label = points.labels[position];
    if (sample?.y) rows.push(`class ${className(sample, sample.y[position])}`);
    rows.push(label === 65535 ? "no cluster" : `cluster ${label}`, `confidence ${(points.confidence[position] / 255).toFixed(2)}`);
    this.lines.replaceChildren(...rows.map((row, at) => make("div", at === 0 ? { class: "name" } : {}, row)));
    this.draw(store, position);
    this.element.hidden = false;
    const side = x > width - 230 ? x - this.element.offsetWidth - 14 : x + 14;
    const top = Math.max(4, Math.min(y - this.element.offsetHeight / 2, height - this.element.offsetHeight - 6));
    this.element.style.transform = `translate(${Math.max(4, side)}px, ${top}px)`;
  }

  hide() {
    this.element.hidden = true;
  }

  draw({ sample, thumbnails }, position) {
    const shape = thumbnails && sample?.thumbnails;
    this.picture.hidden = !shape;
    if (!shape) return;
    const [, height, width, channels = 1] = shape;
    Object.assign(this.picture, { width, height });
    const context = this.picture.getContext("2d");
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
    this.element = make("div", { class: "legend", "aria-label": "Colours" });
  }

  /** Show entries `{colour, name, count}`; buttons are kept while their number stays. */
  update(entries) {
    if (this.entries.length !== entries.length) {
      this.entries = entries.map((_, at) => {
        const swatch = make("span", { class: "swatch" }), name = make("span"), count = make("span", { class: "cl-quiet cl-numbers" });
        const button = make("button", {
          type: "button", onpointerenter: () => this.emphasise(at), onpointerleave: () => this.emphasise(null),
          onfocus: () => this.emphasise(at), onblur: () => this.emphasise(null),
        }, swatch, name, count);
        return { button, swatch, name, count };
      });
      this.element.replaceChildren(...this.entries.map(({ button }) => button));
    }
    entries.forEach(({ colour, name, count }, at) => {
      const entry = this.entries[at];
      entry.swatch.style.background = colour;
      setText(entry.name, name);
      setText(entry.count, String(count));
    });
  }
}
