/**
 * Figures and the selection: which of a figure's points are samples, how those selected stand out, what a click selects.
 *
 * A trace whose `customdata` are whole numbers has samples for points, told by their positions in the probe. A trace whose
 * `meta` is `{"selects": [names]}` has groups of samples: its `customdata` hold a number for each name (see
 * `Selection.positionsOf`), fewer where the last names do not apply. A heat map whose `meta` is `{"rows": [positions]}` has
 * one sample a row.
 */

import { decode } from "./figure_table.js";

const WHOLE = new Set(["i1", "u1", "u1c", "i2", "u2", "i4", "u4"]);
const PLANE = new Set(["scatter", "scattergl", "bar", undefined]);
const MARKED = 0.45;
const VEILED = 0.75;

const VEIL = "veil";

/** Whether a shape is one that puts back rows of a heat map. */
export function isVeil({ name }) {
  return name === VEIL;
}

/** Whether a trace's `customdata` are positions of samples. */
function holdsSamples({ customdata, meta }) {
  if (!customdata || meta?.selects) return false;
  if (Array.isArray(customdata)) return customdata.length > 0 && customdata.every(Number.isInteger);
  return WHOLE.has(customdata.dtype);
}

/** Positions of the samples that a trace has for points, null if its points are something else. */
function samplesOf(trace) {
  return PLANE.has(trace.type) && holdsSamples(trace) ? decode(trace.customdata) : null;
}

/**
 * What makes the selected samples stand out in each trace: `{selectedpoints, selected}`, an empty object where a trace has
 * other things for points. Nothing is put back while none of the samples drawn is selected.
 *
 * @param {object[]} traces the traces of a figure
 * @param {ArrayLike<number>} members positions of the samples selected
 * @param {string} colour of a mark on points that are not seen themselves, such as those over a picture
 */
export function emphasis(traces, members, colour) {
  const chosen = new Set(members);
  const drawn = traces.map(samplesOf);
  const some = drawn.some((samples) => samples?.some((sample) => chosen.has(sample)));
  return traces.map((trace, number) => {
    const samples = drawn[number];
    if (!samples) return {};
    if (!some) return { selectedpoints: null, selected: null };
    const selectedpoints = Array.from(samples.keys()).filter((at) => chosen.has(samples[at]));
    return { selectedpoints, selected: trace.marker?.opacity === 0 ? { marker: { opacity: MARKED, color: colour } } : null };
  });
}

/**
 * Shapes that put back the rows of heat maps whose sample is not selected: one a heat map, none where no row's is.
 *
 * @param {object[]} traces the traces of a figure
 * @param {ArrayLike<number>} members positions of the samples selected
 * @param {string} ground colour of the page
 */
export function veils(traces, members, ground) {
  const chosen = new Set(members);
  const maps = traces.filter(({ meta }) => meta?.rows?.some((sample) => chosen.has(sample)));
  return maps.map(({ meta: { rows }, z, xaxis, yaxis }) => ({
    type: "path", path: bands(rows.map((sample) => !chosen.has(sample)), decode(z)[0].length), xref: xaxis ?? "x", yref: yaxis ?? "y",
    fillcolor: ground, opacity: VEILED, line: { width: 0 }, layer: "above", name: VEIL,
  })).filter(({ path }) => path);
}

/** A path around each stretch of rows that are veiled; a cell is one wide and high, and its middle at whole numbers. */
function bands(veiled, width) {
  let path = "";
  for (let row = 0, start = null; row <= veiled.length; row += 1) {
    if (veiled[row]) start ??= row;
    else if (start !== null) {
      path += `M-0.5,${start - 0.5}H${width - 0.5}V${row - 0.5}H-0.5Z`;
      start = null;
    }
  }
  return path;
}

/** What a click on a point of a figure selects, as `Selection.want` takes it; null if it selects nothing. */
export function wantedBy({ customdata, y }, trace, frame) {
  if (trace.meta?.rows) return { one: trace.meta.rows[y] };
  const numbers = Array.isArray(customdata) || ArrayBuffer.isView(customdata) ? Array.from(customdata) : [customdata];
  if (!numbers.every(Number.isInteger)) return null;
  if (trace.meta?.selects) {
    const origin = Object.fromEntries(numbers.map((number, at) => [trace.meta.selects[at], number]));
    return { origin: "cluster" in origin ? { frame, ...origin } : origin };
  }
  return holdsSamples(trace) ? { one: numbers[0] } : null;
}
