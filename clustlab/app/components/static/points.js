/** Points of frames: unpacking the binary messages, keeping them, and fetching the missing ones in batches. */

const BATCH = 24;
const BATCH_BYTES = 4e6;

/** Unpack a message of `pack_frames` (see `payload.py`) into a list of frames whose arrays are views of its buffer. */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const frames = header.frames.map(({ frame, step, n, k, at }) => {
    let place = 4 + length + at;
    const take = (Type, count) => {
      const array = new Type(buffer, place, count);
      place += array.byteLength;
      return array;
    };
    const points = take(Float32Array, 2 * n), centroids = take(Float32Array, 2 * k);
    return { frame, step, n, k, points, centroids, labels: take(Uint16Array, n), confidence: take(Uint8Array, n) };
  });
  return { projection: header.projection, frames };
}

/** Recorded points of one run in one projection. */
export class PointStore {
  constructor(address) {
    this.address = address;
    this.frames = new Map();
    this.newest = -1;
    this.range = null;
    this.absent = new Set();
    this.busy = false;
  }

  get size() {
    return this.frames.size;
  }

  /** Keep a frame; the range of the axes only ever grows. */
  add(frame) {
    this.frames.set(frame.frame, frame);
    this.absent.delete(frame.frame);
    this.newest = Math.max(this.newest, frame.frame);
    const range = this.range ?? { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
    for (const xy of [frame.points, frame.centroids]) {
      for (let at = 0; at < xy.length; at += 2) {
        const x = xy[at], y = xy[at + 1];
        if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
        if (x < range.left) range.left = x;
        if (x > range.right) range.right = x;
        if (y < range.bottom) range.bottom = y;
        if (y > range.top) range.top = y;
      }
    }
    if (Number.isFinite(range.left)) this.range = range;
  }

  /** First missing frame at or after `from`, going round; -1 if none is missing. */
  missing(from, count) {
    for (let step = 0; step < count; step += 1) {
      const at = (from + step) % count;
      if (!this.frames.has(at) && !this.absent.has(at)) return at;
    }
    return -1;
  }

  /**
   * Fetch what is missing, a batch at a time, beginning at the frame shown.
   *
   * @param {() => {from: number, count: number}} wanted asked anew before each batch
   * @param {() => void} arrived called after each batch
   */
  async load(wanted, arrived) {
    if (this.busy) return;
    this.busy = true;
    try {
      for (;;) {
        const { from, count } = wanted();
        const first = count > 0 ? this.missing(Math.max(0, Math.min(from, count - 1)), count) : -1;
        if (first < 0) return;
        let last = first;
        const most = this.batchSize();
        while (last + 1 < count && last + 1 - first < most && !this.frames.has(last + 1) && !this.absent.has(last + 1)) last += 1;
        const answer = await fetch(`${this.address}?frames=${first}-${last}`);
        if (!answer.ok) return;
        for (const frame of unpack(await answer.arrayBuffer()).frames) this.add(frame);
        for (let at = first; at <= last; at += 1) if (!this.frames.has(at)) this.absent.add(at);
        arrived();
      }
    } catch {
      // the server is away: the bus reconnects and asks again
    } finally {
      this.busy = false;
    }
  }

  /** Frames in a batch: many small ones, few large ones. */
  batchSize() {
    const known = this.frames.values().next().value;
    return known ? Math.max(1, Math.min(BATCH, Math.floor(BATCH_BYTES / (10 * known.n)))) : 2;
  }
}
