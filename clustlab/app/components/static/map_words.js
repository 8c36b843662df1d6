/** What the map says in words: what it waits for, what is selected, which keys it knows. */

import { className } from "./samples.js";
import { pretty } from "./theme.js";

const NO_CLUSTER = 65535;
const NAMED = 3;
const SPOKEN_MS = 600;

/** What one can press while the map has the focus. */
export const KEYS = [
  ["Shift + arrows", "go to the nearest sample in that direction"],
  ["N, P", "next, previous sample; of those selected, if several are"],
  ["Enter", "select it; Shift + Enter: draw the path to it from the one selected"],
  ["Escape", "select nothing"],
  ["+, −, ↑, ↓, 0", "zoom, move, show all"],
  ["Shift + drag", "a lasso around many samples; click into the empty to let them go"],
  ["Shift + click", "the path from the sample selected to this one"],
  ["Click", "a sample, a centroid, or an entry of the legend below"],
];

/** The sentence on the map: why it does not show what one looks at; "" if it does. */
export function mapMessage(store, drawn) {
  if (store.error) return store.error;
  if (store.connection === "offline") return "The connection is lost; trying again…";
  if (store.records.length) return delay(store, drawn);
  return store.alive || !store.status ? "The first frame is on its way…" : "This run has recorded no frame.";
}

/** Title of a projection. */
export function projectionTitle(store, name) {
  return store.projections.find((entry) => entry.name === name)?.title ?? name;
}

/** Why the map does not show the frame that one looks at, or not in the projection chosen; "" if it does. */
function delay(store, drawn) {
  const { projection, frame } = store;
  if (!projection) return drawn ? "" : "The map is being computed…";
  const chosen = projectionTitle(store, projection), { problems, absent } = store.pointsIn(projection);
  const same = drawn?.projection === projection;
  const other = same ? `; the map still shows frame ${drawn.points.frame + 1}` : `; this is ${projectionTitle(store, drawn?.projection)}`;
  const instead = drawn ? other : "";
  if (same && drawn.points.frame === frame) return "";
  if (frame in problems) return `${chosen} of frame ${frame + 1} cannot be computed: ${problems[frame]}${instead}`;
  if (!drawn) return `${chosen} is being computed…`;
  if (!same) return `${chosen} is warming up… this is ${projectionTitle(store, drawn.projection)}`;
  // one that only has to be fetched is there in a moment
  return absent.has(frame) ? `${chosen} of frame ${frame + 1} is on its way${instead}` : "";
}

/** The line under the map: what this projection is, and how far it may be believed. */
export function noteOf(about, n) {
  if (!about) return "";
  const parts = [n ? `${about.title} of ${pretty(n)} samples` : about.title];
  if (about.name === "umap") parts.push("distances mean little");
  if (about.stability !== null) parts.push(`a point moves by ${(100 * about.stability).toFixed(0)} % of the radius a frame`);
  return parts.join(" · ");
}

/** Who a sample is: `{name, cluster, sure, believes}` at the points of a frame; `believes` is null while unknown. */
export function portrait(store, points, position) {
  const { sample } = store;
  const believes = store.beliefs.of(points.frame, position, points.k);
  return {
    name: `#${sample?.index?.[position] ?? position}${sample?.y ? ` “${className(sample, sample.y[position])}”` : ""}`,
    cluster: clusterName(points.labels[position]),
    sure: (believes ? Math.max(...believes) : points.confidence[position] / 255).toFixed(2),
    believes,
  };
}

/** The selection in words, at the points of a frame; "" if nothing is selected. */
export function selectionSentence(store, points) {
  const { one, pair, set } = store.selection;
  if (set) return setSentence(store, points, set.positions);
  if (one === null || one >= points.n) return "";
  const who = (position) => {
    const { name, cluster } = portrait(store, points, position);
    return `${name} (${cluster})`;
  };
  if (pair) return `path from ${who(pair[0])} to ${who(pair[1])}`;
  const { name, cluster, sure } = portrait(store, points, one);
  return `selected: ${name} → ${cluster} (${sure})`;
}

/** “37 samples: 21 of cluster 4, 16 of cluster 7 · classes: 20 “4”, 17 “9””. */
function setSentence({ sample }, { labels }, positions) {
  const parts = [counted(positions, labels, (label) => `of ${clusterName(label)}`)];
  if (sample?.y) parts.push(`classes: ${counted(positions, sample.y, (number) => `“${className(sample, number)}”`)}`);
  return `${pretty(positions.length)} ${positions.length === 1 ? "sample" : "samples"}: ${parts.join(" · ")}`;
}

/** How many of some samples belong to what, the largest parts first. */
function counted(positions, entries, name) {
  const counts = [];
  for (let at = 0; at < positions.length; at += 1) counts[entries[positions[at]]] = (counts[entries[positions[at]]] ?? 0) + 1;
  const sorted = Object.entries(counts).map(([entry, count]) => [Number(entry), count]).sort((first, second) => second[1] - first[1]);
  if (sorted.length === 1) return `all ${name(sorted[0][0])}`;
  const rest = sorted.slice(NAMED).reduce((sum, [, count]) => sum + count, 0);
  const named = sorted.slice(0, NAMED).map(([entry, count]) => `${pretty(count)} ${name(entry)}`);
  return [...named, ...(rest ? [`${pretty(rest)} of others`] : [])].join(", ");
}

function clusterName(label) {
  return label === NO_CLUSTER ? "no cluster" : `cluster ${label}`;
}

/** Tells screen readers of a change once things have come to rest, the last one only. */
export class Voice {
  constructor(element) {
    this.element = element;
  }

  say(text) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.element.textContent = text;
    }, SPOKEN_MS);
  }

  silence() {
    clearTimeout(this.timer);
  }
}
