/** Above the maps: projection and colour of all of them, and what is known of how they correspond. */

import { SIDE_BY_SIDE } from "./comparison.js";
import { segments } from "./segments.js";
import { keep, make, pretty, sentence, setText } from "./theme.js";

const COLOURS = [["cluster", "cluster"], ["class", "true class"], ["confidence", "confidence"]];

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host) => new CompareBar(host), SIDE_BY_SIDE);
}

class CompareBar {
  constructor(host) {
    this.projections = make("span", { class: "cl-segments", role: "group", "aria-label": "Projection" });
    this.modes = make("span", { class: "cl-segments", role: "group", "aria-label": "Colour" });
    this.words = make("div", { class: "words cl-quiet", role: "status" });
    this.chosen = make("div", { class: "words", role: "status", "data-testid": "compare-selection" });
    host.append(make("div", { class: "bar", "data-testid": "compare-bar" },
      make("label", {}, "maps", this.projections), make("label", {}, "colour", this.modes), this.words), this.chosen);
  }

  bind(comparison) {
    this.comparison = comparison;
    this.update("view");
  }

  update(kind) {
    const { comparison } = this;
    if (!comparison || !["about", "view", "matching", "selection", "sample"].includes(kind)) return;
    const classes = comparison.stores.every(({ sample }) => sample?.y);
    segments(this.projections, comparison.projections.map(({ name, title }) => [name, title]), comparison.projection, (name) => comparison.setProjection(name));
    segments(this.modes, COLOURS.filter(([name]) => name !== "class" || classes), comparison.colour, (name) => comparison.setColour(name));
    setText(this.words, this.matching());
    setText(this.chosen, this.selected());
  }

  matching() {
    const { matching, projection } = this.comparison;
    if (!matching) return "Looking for what corresponds…";
    if (matching.sentence) return sentence(matching.sentence);
    const { n, n_common: common, alignments } = matching;
    const rows = n.every((each) => each === common) ? `all ${pretty(common)} samples` : `the ${pretty(common)} samples that all probes hold`;
    const planes = alignments[projection] ? "; the maps are turned to lie over A’s" : "";
    return `A cluster has the colour of its counterpart in A, by ${rows}${planes}.`;
  }

  selected() {
    const { comparison } = this;
    if (!comparison.absent.length) return "";
    const one = comparison.row !== null;
    const missing = comparison.absent.map(([letter, count]) => (one ? letter : `${pretty(count)} of them from ${letter}`)).join(", ");
    return one ? `The sample selected is not in the probe of ${missing}.` : `Of the samples selected, ${missing} are missing: other probes hold other samples.`;
  }
}
