/** Colours of the points on the map. */

import { mix, toRgb } from "./theme.js";

/**
 * RGBA bytes of all points: the hue is that of a cluster or class, confidence is lightness, never hue. What is not
 * pointed at in the legend is put back, never hidden.
 */
export function pointColours(points, { entries, palette, none, ground, shaded, emphasis }) {
  const list = palette.map(toRgb), neutral = toRgb(none), behind = toRgb(ground);
  const found = new Uint8Array(4 * points.n);
  for (let at = 0; at < points.n; at += 1) {
    const entry = entries[at];
    let colour = list[entry] ?? neutral;
    if (shaded) colour = mix(colour, behind, 0.82 * (1 - points.confidence[at] / 255));
    const back = emphasis !== null && entry !== emphasis;
    if (back) colour = mix(colour, behind, 0.8);
    found.set([...colour.map(Math.round), back ? 110 : 225], 4 * at);
  }
  return found;
}
