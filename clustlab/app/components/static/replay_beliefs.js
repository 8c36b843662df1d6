/** P and Q of one sample, drawn from what a replay carries: bars at the frame shown, and how q has moved. */

import { className } from "./samples.js";
import { keep, make, pretty, setText } from "./theme.js";

const MOST_BARS = 20;
const TINY = 1e-12;
const HIGH = 120, WIDE = 1000;

/** Put the panel into a place of the replay. */
export function mount(component, archive) {
  return keep(component, (host) => new BeliefsPanel(host, archive));
}

class BeliefsPanel {
  constructor(host, archive) {
    Object.assign(this, { archive, store: null });
    this.heading = make("div", { class: "heading", role: "status", "aria-live": "off" });
    this.bars = make("div", { class: "bars" });
    this.caption = make("div", { class: "cl-quiet" });
    this.history = drawing("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": "q of this sample over all frames" });
    this.root = make("div", { class: "p-and-q", "data-testid": "p-and-q" }, this.heading, this.bars, this.caption, this.history);
    host.append(this.root);
  }

  bind(store) {
    this.store = store;
    this.update("frame");
  }

  update(kind) {
    if (!this.store || !["frame", "selection", "about", "sample", "theme"].includes(kind) || this.store.frame < 0) return;
    const { frame } = this.store, position = this.position();
    const q = this.archive.believes("q", frame, position), p = this.archive.believes("p", frame, position);
    this.bars.replaceChildren(...(q ? this.shown(q, p).map((cluster) => this.bar(cluster, q[cluster], p?.[cluster])) : []));
    setText(this.heading, this.words(position, q, p));
    this.draw(position, frame);
    Object.assign(this.root.dataset, { frame, position });
  }

  /** The sample selected, else the one that is least certain at the last frame with beliefs. */
  position() {
    if (this.store.selected !== null) return this.store.selected;
    if (this.undecided === undefined) {
      const last = (this.archive.manifest.beliefs.q ?? []).findLastIndex(Boolean);
      this.undecided = last < 0 ? 0 : leastCertain(this.archive.shares("q", last));
    }
    return this.undecided;
  }

  words(position, q, p) {
    const { sample } = this.store;
    const name = `#${sample?.index?.[position] ?? position}${sample?.y ? ` “${className(sample, sample.y[position])}”` : ""}`;
    const which = this.store.selected === null ? `Sample ${name}, the least certain one at the end; select another one on the map.` : `Sample ${name}.`;
    if (!q) return `${which} Nothing is believed softly in this phase.`;
    if (!p) return `${which} There is no target P in this phase.`;
    const divergence = q.reduce((sum, value, cluster) => sum + contribution(p[cluster], value), 0);
    return `${which} KL(P‖Q) = ${pretty(divergence)} nats.`;
  }

  /** Clusters that are drawn: all, or those that the sample believes in most. */
  shown(q, p) {
    const clusters = q.map((_, cluster) => cluster);
    if (q.length <= MOST_BARS) return clusters;
    const weight = (cluster) => Math.max(q[cluster], p?.[cluster] ?? 0);
    return clusters.sort((first, second) => weight(second) - weight(first)).slice(0, MOST_BARS).sort((first, second) => first - second);
  }

  bar(cluster, q, p) {
    const colour = this.store.palette.clusters[cluster];
    const told = p === undefined ? "" : `, p = ${p.toFixed(3)}, p log(p/q) = ${pretty(contribution(p, q))} nats`;
    const part = (kind, value) => make("div", { class: kind, style: `height:${(100 * value).toFixed(2)}%;--colour:${colour}` });
    const pair = make("div", { class: "pair" }, part("q", q), ...(p === undefined ? [] : [part("p", p)]));
    return make("div", { class: "cluster", title: `cluster ${cluster}: q = ${q.toFixed(3)}${told}` }, pair, make("div", { class: "cl-numbers" }, String(cluster)));
  }

  /** One line a cluster over the frames that have q, and the line of the present. */
  draw(position, frame) {
    const places = this.archive.manifest.beliefs.q ?? [];
    const first = places.findIndex(Boolean), last = places.findLastIndex(Boolean);
    const across = (at) => (WIDE * (at - first)) / Math.max(last - first, 1);
    const lines = new Map();
    for (let at = first; at <= last; at += 1) {
      this.archive.believes("q", at, position)?.forEach((value, cluster) => {
        const place = `${across(at).toFixed(1)} ${((1 - value) * (HIGH - 8) + 4).toFixed(1)}`;
        lines.set(cluster, `${lines.has(cluster) ? `${lines.get(cluster)}L` : "M"}${place}`);
      });
    }
    const look = { "stroke-width": 2, fill: "none", "vector-effect": "non-scaling-stroke" };
    const paths = [...lines].map(([cluster, d]) => drawing("path", { d, stroke: this.store.palette.clusters[cluster], ...look }));
    const here = drawing("line", { x1: across(frame), x2: across(frame), y1: 0, y2: HIGH, class: "now", ...look });
    this.history.replaceChildren(...paths, here);
    setText(this.caption, `How q has moved from frame ${first + 1} to ${last + 1}; the top is 1:`);
  }
}

/** A cluster's part of KL(P‖Q), in nats. */
function contribution(p, q) {
  return p > 0 ? p * Math.log(Math.max(p, TINY) / Math.max(q, TINY)) : 0;
}

/** Position of the sample whose two most likely clusters are closest to each other. */
function leastCertain({ k, values }) {
  let best = Infinity, found = 0;
  for (let at = 0; at * k < values.length; at += 1) {
    const [first, second = 0] = values.slice(at * k, (at + 1) * k).sort().reverse();
    if (first - second < best) [best, found] = [first - second, at];
  }
  return found;
}

function drawing(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
