/** What a replay carries, and the answers that it gives where the laboratory would ask the server. */

const SHARES = 65535;

/** The pieces of a replay; each is unpacked when somebody asks for it first. */
export class Archive {
  /**
   * @param {object} manifest what the file says of itself
   * @param {(name: string) => Promise<ArrayBuffer | null>} bytes unpacks a piece
   */
  constructor(manifest, bytes) {
    Object.assign(this, { manifest, bytes, pieces: new Map(), values: {} });
  }

  piece(name) {
    if (!this.pieces.has(name)) this.pieces.set(name, this.bytes(name));
    return this.pieces.get(name);
  }

  /** Have Q and P at hand, so that they can be looked up at once. */
  async prepare() {
    for (const name of Object.keys(this.manifest.beliefs)) this.values[name] = new Uint16Array(await this.piece(name));
  }

  /** Q (`q`) or P (`p`) of a frame as whole numbers, sample after sample; null where the phase has none. */
  shares(name, frame) {
    const place = this.manifest.beliefs[name]?.[frame], n = this.manifest.sample?.index.length;
    return place && n ? { k: place.k, values: this.values[name].subarray(place.at, place.at + n * place.k) } : null;
  }

  /** Probabilities of a sample at a frame; null where the phase has none. */
  believes(name, frame, position) {
    const all = this.shares(name, frame);
    return all && Array.from(all.values.subarray(position * all.k, (position + 1) * all.k), (value) => value / SHARES);
  }

  panel(name) {
    return this.manifest.panels.find((panel) => panel.name === name);
  }

  /** Place of the moment whose drawing stands for a frame: the nearest one, of the same phase if there is any. */
  drawnFor(panel, frame) {
    const { records } = this.manifest.about;
    const far = (at) => Math.abs(at - frame) + (records[at].phase === records[frame].phase ? 0 : records.length);
    return panel.drawn.reduce((best, at) => (far(at) < far(best) ? at : best));
  }

  /** Answer as the server would, see `routes.py`. */
  async answer(path, asked) {
    const [kind, name] = path.split("/");
    if (kind === "about") return asJson(this.manifest.about);
    if (kind === "sample" && this.manifest.sample) return asJson(this.manifest.sample);
    if (kind === "thumbnails") return new Response(await this.piece("thumbnails"));
    if (kind === "beliefs") return new Response(this.coarse(Number(name)));
    if (kind === "points") return new Response(await this.points(name, asked.get("frames")));
    if (kind === "figures") return this.figure(decodeURIComponent(name), Number(asked.get("frame")));
    return asJson({ error: "this file does not carry what was asked for" }, 404);
  }

  coarse(frame) {
    const all = this.shares("q", frame);
    return all ? Uint8Array.from(all.values, (value) => Math.round((255 * value) / SHARES)) : new Uint8Array(0);
  }

  /** A message of `pack_frames` with the frames asked for, cut out of the one with all. */
  async points(projection, range) {
    const all = await this.piece(`points/${projection}`);
    const length = new DataView(all).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(all, 4, length)));
    const [first, last] = range.split("-").map(Number);
    let at = 0;
    const found = header.frames.filter(({ frame }) => frame >= first && frame <= last);
    const parts = found.map((entry) => new Uint8Array(all, 4 + length + entry.at, lengthOf(entry)));
    const frames = found.map((entry) => ({ ...entry, at: (at += lengthOf(entry)) - lengthOf(entry) }));
    const text = JSON.stringify({ projection: header.projection, frames });
    const told = new TextEncoder().encode(text.padEnd(4 * Math.ceil(text.length / 4)));
    return new Blob([new Uint32Array([told.length]), told, ...parts]).arrayBuffer();
  }

  async figure(name, frame) {
    const panel = this.panel(name);
    if (!panel) return asJson({ error: "this file does not carry this figure" }, 404);
    if (!panel.there.includes(frame)) return asJson({ unavailable: panel.absent });
    this.figures ??= new Map();
    if (!this.figures.has(name)) this.figures.set(name, new TextDecoder().decode(await this.piece(`figures/${name}`)).split("\n"));
    const place = this.drawnFor(panel, frame);
    const text = this.figures.get(name)[panel.drawn.indexOf(place)];
    if (!panel.cursor.length) return new Response(text);
    const figure = JSON.parse(text), { step } = this.manifest.about.records[frame];
    for (const at of panel.cursor) Object.assign(figure.layout.shapes[at], { x0: step, x1: step });
    return asJson(figure);
  }

  /** Have the page ask this file wherever it would ask the server: a replay has no network and must not look for one. */
  standIn() {
    window.fetch = async (address) => {
      const { pathname, searchParams } = new URL(address, document.baseURI);
      const path = /\/clustlab\/runs\/[^/]+\/(.+)$/.exec(pathname)?.[1];
      return path ? this.answer(path, searchParams) : asJson({ error: "a replay asks nobody" }, 404);
    };
    window.WebSocket = Silence;
  }
}

/** A connection over which nothing ever comes. */
class Silence {
  static OPEN = 1;

  constructor() {
    this.readyState = Silence.OPEN;
    setTimeout(() => this.onopen?.());
  }

  send() {}

  close() {
    this.readyState = 3;
  }
}

/** Bytes of a frame in a message: places of points and centroids, labels, confidence, padded. */
function lengthOf({ n, k }) {
  return 4 * Math.ceil((8 * n + 8 * k + 3 * n) / 4);
}

function asJson(content, status = 200) {
  return new Response(JSON.stringify(content), { status, headers: { "Content-Type": "application/json" } });
}
