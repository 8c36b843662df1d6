/** The samples on which the runs disagree, as pictures; a click selects one on all maps. */

import { LETTERS, SIDE_BY_SIDE } from "./comparison.js";
import { className, drawPicture } from "./samples.js";
import { keep, make, pretty, sentence, setText } from "./theme.js";

const REST_MS = 200;

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host) => new ComparedSamples(host), SIDE_BY_SIDE);
}

class ComparedSamples {
  constructor(host) {
    Object.assign(this, { comparison: null, drawn: "", content: null, tiles: [] });
    this.words = make("p", { class: "words", role: "status" }, "Waiting for the first frames…");
    this.groups = make("div", { class: "groups" });
    host.append(make("div", { "data-testid": "compare-samples" }, this.words, this.groups));
  }

  bind(comparison) {
    if (comparison !== this.comparison) {
      Object.assign(this, { drawn: "", content: null });
      this.groups.replaceChildren();
      setText(this.words, "Waiting for the first frames…");
    }
    this.comparison = comparison;
    this.update("frame");
  }

  update(kind) {
    if (!this.comparison) return;
    if (kind === "selection") this.mark();
    if (kind === "sample" || kind === "matching") this.render();
    if (["frame", "about", "records", "matching"].includes(kind)) this.request();
  }

  /** Ask what the runs disagree on where they stand, once the time line rests. */
  request() {
    const { comparison } = this;
    if (!comparison.known || this.busy) return;
    const address = comparison.address("samples", { frames: comparison.frames.join() });
    if (address === this.drawn) return;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.ask(address), comparison.playing ? 4 * REST_MS : REST_MS);
  }

  async ask(address) {
    const { comparison } = this;
    this.busy = true;
    const content = await fetch(address).then((answer) => answer.json()).catch(() => null);
    this.busy = false;
    if (comparison !== this.comparison) return this.request();
    if (!content) return;
    Object.assign(this, { drawn: address, content });
    this.render();
    this.request();
  }

  render() {
    const { content } = this;
    if (!content) return;
    if (content.error) {
      setText(this.words, sentence(content.error));
      this.groups.replaceChildren();
      return;
    }
    setText(this.words, summary(content));
    this.tiles = [];
    this.groups.replaceChildren(...content.groups.map((group) => this.group(group)));
    this.mark();
  }

  group({ run, count, samples }) {
    const title = run === null ? `in clusters that are no counterparts: ${pretty(count)}` : `only ${LETTERS[run]} gets ${pretty(count)}`;
    const more = count > samples.length ? make("span", { class: "cl-quiet" }, `the ${samples.length} it is surest of`) : "";
    const list = samples.length ? make("div", { class: "tiles" }, ...samples.map((sample) => this.tile(sample))) : make("p", { class: "cl-quiet" }, "None at this moment.");
    return make("section", { class: "group" }, make("h4", {}, title, more ? " · " : "", more), list);
  }

  tile(sample) {
    const { stores } = this.comparison, [store] = stores;
    const name = store.sample?.y ? className(store.sample, store.sample.y[sample.positions[0]]) : "";
    const where = sample.clusters.map((cluster, at) => `${LETTERS[at]}: cluster ${cluster}`).join(", ");
    const label = `sample #${sample.row}${name ? `, “${name}”` : ""}; ${where}`;
    const picture = make("canvas", { class: "picture" });
    const drawn = drawPicture(picture, store, sample.positions[0]);
    const words = drawn ? "" : make("span", { class: "cl-numbers" }, `#${sample.row}`);
    const marks = make("span", { class: "marks" }, ...sample.clusters.map((cluster, at) =>
      make("i", { style: `background:${stores[at].palette.clusters[cluster] ?? "#8A8F98"}` })));
    const button = make("button", { type: "button", class: "tile", title: label, "aria-label": label, onclick: () => this.comparison.selectRow(sample.row) }, picture, words, marks);
    this.tiles.push([sample.row, button]);
    return button;
  }

  mark() {
    const { row } = this.comparison;
    for (const [each, button] of this.tiles) button.setAttribute("aria-pressed", String(each === row));
  }

  destroy() {
    clearTimeout(this.resting);
  }
}

function summary({ kind, n_common: n, all, none, right }) {
  if (kind === "clusters") return `Of ${pretty(n)} samples that all probes hold, ${pretty(all)} lie in counterparts. Bars show the cluster in each run.`;
  const each = right.map((count, at) => `${LETTERS[at]} ${pretty(count)}`).join(", ");
  return `Of ${pretty(n)} samples that all probes hold, ${pretty(all)} are right in all runs and ${pretty(none)} in none (${each}), each cluster taken for the class that it matches best. Bars show the cluster in each run.`;
}
