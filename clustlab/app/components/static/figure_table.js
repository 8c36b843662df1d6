/** A figure's data as a table that any spreadsheet opens. */

const TYPES = {
  i1: Int8Array, u1: Uint8Array, u1c: Uint8ClampedArray, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array,
  f4: Float32Array, f8: Float64Array,
};
const COLUMNS = ["x", "y", "z", "text", "customdata", "value", "values", "labels", "source", "target"];

/** CSV of plotly traces: one line a point, columns trace, index and whatever the traces hold; matrices are unrolled. */
export function tableOf(traces) {
  const rows = traces.flatMap((trace, number) => rowsOf(flatten(trace), trace.name || `trace ${number}`));
  return tableOfRows(rows);
}

/** CSV of rows; the columns stand in the order in which they are met. */
export function tableOfRows(rows) {
  const names = [...rows.reduce((found, row) => Object.keys(row).reduce((names, name) => names.add(name), found), new Set())];
  return [names.join(","), ...rows.map((row) => names.map((name) => quote(row[name])).join(","))].join("\r\n") + "\r\n";
}

/** The data columns of a trace, those of its links (Sankey) among them. */
function flatten(trace) {
  const found = {};
  for (const part of [trace, trace.link ?? {}]) {
    for (const name of COLUMNS) {
      const column = decode(part[name]);
      if (column) found[name] = column;
    }
  }
  return found;
}

function rowsOf({ z, ...columns }, trace) {
  if (z && (Array.isArray(z[0]) || ArrayBuffer.isView(z[0]))) {
    return Array.from(z).flatMap((line, row) =>
      Array.from(line, (value, column) => ({ trace, x: columns.x?.[column] ?? column, y: columns.y?.[row] ?? row, z: value })));
  }
  const all = z ? { ...columns, z } : columns;
  const length = Math.max(0, ...Object.values(all).map((column) => column.length));
  return Array.from({ length }, (_, at) => ({
    trace, ...Object.fromEntries(Object.entries(all).map(([name, column]) => [name, column[at]])),
  }));
}

/** An array as plotly writes it to JSON: plain, or typed and packed in base 64. */
export function decode(column) {
  if (Array.isArray(column)) return column;
  if (!column?.bdata || !(column.dtype in TYPES)) return null;
  const bytes = Uint8Array.from(atob(column.bdata), (letter) => letter.charCodeAt(0));
  const flat = new TYPES[column.dtype](bytes.buffer);
  const [rows, ...others] = String(column.shape ?? "").split(",").map(Number);
  if (!rows || !others.length) return flat;
  const width = flat.length / rows; // what is more than a matrix has its last axes side by side
  return Array.from({ length: rows }, (_, row) => flat.subarray(row * width, (row + 1) * width));
}

function quote(value) {
  if (value === undefined || value === null) return "";
  const text = Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(value).join(" ") : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
