/** The map as a file: a picture with its title, step and legend, or a table with a line a sample. */

import { tableOfRows } from "./figure_table.js";
import { projectionTitle } from "./map_words.js";
import { className } from "./samples.js";
import { csv, download, saveRow } from "./saving.js";
import { pretty } from "./theme.js";

const NO_CLUSTER = 65535;
const PAD = 16, LINE = 22;

/** The buttons that save a map. */
export function mapSaves(map) {
  return saveRow("the map", { PNG: () => savePicture(map), CSV: () => saveTable(map) });
}

function nameOf({ store, drawn }) {
  return `${store.run}-map-${drawn.projection}-frame-${drawn.points.frame}`;
}

/** What stands above the picture: the run, and which moment of it. */
function headings({ store, drawn, mode }) {
  const { points, projection } = drawn;
  const mark = { cluster: "cluster", class: "true class", confidence: "cluster, lighter where unsure" }[mode];
  return [store.title, `step ${pretty(points.step)} · ${projectionTitle(store, projection)} of ${pretty(points.n)} samples · coloured by ${mark}`];
}

/** Save what is on the screen, at its resolution, on the ground of the page. */
function savePicture(map) {
  if (!map.drawn) return;
  const { canvas, over, ratio, theme } = map;
  const entries = [...map.legend.entries].map(({ swatch, name, count }) => [swatch.style.getPropertyValue("--colour"), `${name.textContent} (${count.textContent})`]);
  const wide = canvas.width / ratio, rows = rowsOf(entries, wide);
  const high = 2 * LINE + PAD + canvas.height / ratio + rows.length * LINE + PAD;
  const picture = Object.assign(document.createElement("canvas"), { width: canvas.width, height: Math.round(high * ratio) });
  const context = picture.getContext("2d");
  context.scale(ratio, ratio);
  context.fillStyle = theme.ground;
  context.fillRect(0, 0, wide, high);
  context.textBaseline = "middle";
  context.fillStyle = theme.text;
  headings(map).forEach((text, at) => {
    context.font = `${at ? 400 : 600} ${at ? 14 : 16}px ${theme.font}`;
    context.fillText(text, PAD, LINE * (at + 0.6) + 4, wide - 2 * PAD);
  });
  const top = 2 * LINE + PAD;
  for (const layer of [canvas, over]) context.drawImage(layer, 0, top, wide, canvas.height / ratio);
  context.font = `400 14px ${theme.font}`;
  rows.forEach((row, at) => drawRow(context, row, top + canvas.height / ratio + LINE * (at + 0.7), theme));
  picture.toBlob((blob) => download(blob, `${nameOf(map)}.png`), "image/png");
}

/** Entries of the legend in lines that fit. */
function rowsOf(entries, wide) {
  const rows = [[]];
  let at = PAD;
  for (const [colour, text] of entries) {
    const width = 30 + 8.5 * text.length;
    if (at + width > wide - PAD && rows.at(-1).length) {
      rows.push([]);
      at = PAD;
    }
    rows.at(-1).push({ colour, text, at });
    at += width;
  }
  return rows;
}

function drawRow(context, row, middle, theme) {
  for (const { colour, text, at } of row) {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(at + 6, middle, 5, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = theme.text;
    context.fillText(text, at + 16, middle);
  }
}

/** Save where each sample lies and what is known of it. */
function saveTable(map) {
  if (!map.drawn) return;
  const { points } = map.drawn, { sample } = map.store;
  const rows = Array.from({ length: points.n }, (_, at) => ({
    row: sample?.index?.[at] ?? at, x: points.points[2 * at], y: points.points[2 * at + 1],
    cluster: points.labels[at] === NO_CLUSTER ? "" : points.labels[at], class: sample?.y ? className(sample, sample.y[at]) : "",
    confidence: (points.confidence[at] / 255).toFixed(3),
  }));
  download(csv(tableOfRows(rows)), `${nameOf(map)}.csv`);
}
