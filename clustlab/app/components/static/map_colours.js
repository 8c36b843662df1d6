/** Colours of the points on the map. */

import { mix, toRgb } from "./theme.js";

const FRONT = 225;
const BACK = 110;

const kept = new Map();

/**
 * RGBA bytes of all points: the hue is that of a cluster or class, confidence is lightness, never hue. What is neither
 * pointed at in the legend (`emphasis`) nor selected (`mask`, a byte a sample) is put back, never hidden.
 */
export function pointColours(points, { entries, palette, none, ground, shaded, emphasis, mask }) {
  const shades = shaded ? 256 : 1;
  const { front, back } = tables([...palette, none], ground, shades);
  const found = new Uint32Array(points.n);
  for (let at = 0; at < points.n; at += 1) {
    const entry = entries[at], known = entry >= 0 && entry < palette.length ? entry : palette.length;
    const ahead = emphasis !== null ? entry === emphasis : !mask || mask[at] === 1;
    found[at] = (ahead ? front : back)[known * shades + (shaded ? points.confidence[at] : 0)];
  }
  return new Uint8Array(found.buffer);
}

/** Whether a colour is that of a point put back. */
export function isBack(colours, position) {
  return colours[4 * position + 3] === BACK;
}

/** Colours of points in front and of those put back; the latest are kept, since pointing at things asks for them often. */
function tables(palette, ground, shades) {
  const key = `${palette} ${ground} ${shades}`;
  if (!kept.has(key)) {
    if (kept.size > 3) kept.clear();
    kept.set(key, { front: table(palette, ground, shades, false), back: table(palette, ground, shades, true) });
  }
  return kept.get(key);
}

/** All colours there can be, each as the four bytes of one number: `shades` for each entry, the palest first. */
function table(palette, ground, shades, back) {
  const behind = toRgb(ground), bytes = new Uint8Array(4 * palette.length * shades);
  palette.map(toRgb).forEach((full, entry) => {
    for (let shade = 0; shade < shades; shade += 1) {
      let colour = shades > 1 ? mix(full, behind, 0.82 * (1 - shade / 255)) : full;
      if (back) colour = mix(colour, behind, 0.8);
      bytes.set([...colour.map(Math.round), back ? BACK : FRONT], 4 * (entry * shades + shade));
    }
  });
  return new Uint32Array(bytes.buffer);
}
