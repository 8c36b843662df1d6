/**
 * Figures and the selection: which of a figure's points are samples, how those selected stand out, what a click selects.
 *
 * A trace whose `customdata` are whole numbers has samples for points, told by their positions in the probe. A trace whose
 * `meta` is `{"selects": [names]}` has groups of samples: its `customdata` hold a number for each name (see
 * `Selection.positionsOf`), fewer where the last names do not apply. A heat map whose `meta` is `{"rows": [positions]}` has
 * one sample a row.
 */

import { decode } from "./figure_table.js";
import { toRgb } from "./theme.js";

const WHOLE = new Set(["i1", "u1", "u1c", "i2", "u2", "i4", "u4"]);
const PLANE = new Set(["scatter", "scattergl", "bar", undefined]);
const MARKED = 0.45;
const VEILED = 0.75;

const OUTLINE = 2.5;
const FULL = 0.9;
const PALE = 0.15;

const MARK = "mark of the selection";
const GROUP = ["cluster", "frame", "from", "since", "class"];

/** Whether a shape is one that belongs to the selection. */
export function isMark({ name }) {
  return name === MARK;
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

/** Whether numbers that a trace has for a group name the one that is selected. */
function isChosen(trace, customdata, { origin }, frame) {
  const group = origin && wantedBy({ customdata }, trace, frame)?.origin;
  return Boolean(group) && GROUP.every((name) => group[name] === origin[name]);
}

/** What makes the selected group stand out among the bands or the clusters of a flow: the others turn pale. */
function paled(trace, selection, frame) {
  const pale = (part) => {
    const own = part.own ?? part.color; // as the figure came; plotly has no use for the name
    const chosen = part.customdata.map((numbers) => isChosen(trace, numbers, selection, frame));
    const colours = own.map((colour, at) => `rgba(${toRgb(colour)},${chosen[at] ? FULL : PALE})`);
    return { ...part, own, color: chosen.includes(true) ? colours : own };
  };
  return { link: pale(trace.link), node: pale(trace.node) };
}

/**
 * What makes the selection stand out in each trace: `{selectedpoints, selected}` where its points are samples, `{link, node}`
 * in a flow, else an empty object. Nothing is put back while none of the samples drawn is selected.
 *
 * @param {{data: object[], frame: number}} figure its traces, and the frame they are drawn for
 * @param {Selection} selection what is selected
 * @param {string} colour of a mark on points that are not seen themselves, such as those over a picture
 */
export function emphasis({ data: traces, frame }, selection, colour) {
  const chosen = new Set(selection.members);
  const drawn = traces.map(samplesOf);
  const some = drawn.some((samples) => samples?.some((sample) => chosen.has(sample)));
  return traces.map((trace, number) => {
    const samples = drawn[number];
    if (trace.type === "sankey" && trace.meta?.selects) return paled(trace, selection, frame);
    if (!samples) return {};
    if (!some) return { selectedpoints: null, selected: null };
    const selectedpoints = Array.from(samples.keys()).filter((at) => chosen.has(samples[at]));
    return { selectedpoints, selected: trace.marker?.opacity === 0 ? { marker: { opacity: MARKED, color: colour } } : null };
  });
}

/**
 * Shapes that make the selection stand out in heat maps: one that puts back the rows whose sample is not selected, none
 * where no row's is; a line around the cell whose group is.
 *
 * @param {{data: object[], frame: number}} figure its traces, and the frame they are drawn for
 * @param {Selection} selection what is selected
 * @param {{ground: string, text: string}} theme colours of the page
 */
export function marks({ data, frame }, selection, { ground, text }) {
  const chosen = new Set(selection.members);
  return data.flatMap((trace) => {
    const { meta, z, xaxis: xref = "x", yaxis: yref = "y" } = trace;
    const shape = { type: "path", xref, yref, layer: "above", name: MARK };
    if (meta?.rows?.some((sample) => chosen.has(sample))) {
      const path = bands(meta.rows.map((sample) => !chosen.has(sample)), decode(z)[0].length);
      return path ? [{ ...shape, path, fillcolor: ground, opacity: VEILED, line: { width: 0 } }] : [];
    }
    const cell = trace.type === "heatmap" && meta?.selects && cellOf(trace, selection, frame);
    return cell ? [{ ...shape, path: square(...cell), line: { color: text, width: OUTLINE } }] : [];
  });
}

/** Column and row of the cell whose group is selected, null if none is. */
function cellOf(trace, selection, frame) {
  const width = decode(trace.z)[0].length, size = trace.meta.selects.length;
  for (const [row, numbers] of decode(trace.customdata).entries()) {
    const cells = Array.from({ length: width }, (_, column) => numbers.slice(column * size, (column + 1) * size));
    const column = cells.findIndex((cell) => isChosen(trace, cell, selection, frame));
    if (column >= 0) return [column, row];
  }
  return null;
}

function square(column, row) {
  return `M${column - 0.5},${row - 0.5}H${column + 0.5}V${row + 0.5}H${column - 0.5}Z`;
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
