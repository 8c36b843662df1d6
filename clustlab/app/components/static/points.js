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

/** A frame whose points and centroids are turned, scaled and shifted. */
function laidOver(recorded, { matrix: [[a, b], [c, d]], shift: [x, y] }) {
  const moved = (places) => {
    const found = new Float32Array(places.length);
    for (let at = 0; at < places.length; at += 2) {
      found[at] = places[at] * a + places[at + 1] * c + x;
      found[at + 1] = places[at] * b + places[at + 1] * d + y;
    }
    return found;
  };
  return { ...recorded, recorded, points: moved(recorded.points), centroids: moved(recorded.centroids) };
}

/** Recorded points of one run in one projection. */
export class PointStore {
  constructor(address) {
    this.address = address;
    this.frames = new Map();
    this.newest = -1;
    this.range = null;
    this.absent = new Map();
    this.news = 0;
    this.problems = {};
    this.busy = false;
    this.laid = null;
  }

  /**
   * Lay all points, those to come too, over the plane of another run.
   *
   * @param {{matrix: number[][], shift: number[]} | null} laid turn, scale and shift; null leaves them as they are
   * @param {object} range the range of the axes that the runs share; it grows with the points of all
   */
  lay(laid, range) {
    this.laid = laid;
    this.range = range;
    for (const frame of [...this.frames.values()]) this.add(frame.recorded ?? frame);
  }

  /** Keep a frame; the range of the axes only ever grows. */
  add(recorded) {
    const frame = this.laid ? laidOver(recorded, this.laid) : recorded;
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

  /** Frames that were not projected when the server was asked may be there now; some never will be, see `problems`. */
  renew(problems = this.problems) {
    this.news += 1;
    this.problems = problems;
    this.newest = Math.max(this.newest, ...Object.keys(problems).map(Number));
  }

  /** Ask for a frame once more, although it was not there a moment ago. */
  doubt(frame) {
    if (this.absent.has(frame)) this.absent.set(frame, -1);
  }

  /** Whether it is worth asking for a frame. */
  lacks(frame) {
    return !this.frames.has(frame) && this.absent.get(frame) !== this.news && !(frame in this.problems);
  }

  /** First frame worth asking for at or after `from`, going round; -1 if there is none. */
  missing(from, count) {
    for (let step = 0; step < count; step += 1) {
      const at = (from + step) % count;
      if (this.lacks(at)) return at;
    }
    return -1;
  }

  /** Points of the frame nearest to one, null if there are none at all. */
  nearest(frame) {
    const numbers = [...this.frames.keys()];
    if (!numbers.length) return null;
    return this.frames.get(numbers.reduce((best, at) => (Math.abs(at - frame) < Math.abs(best - frame) ? at : best)));
  }

  /**
   * Fetch what is missing, a batch at a time, beginning at the frame shown.
   *
   * @param {() => {from: number, count: number, waits: boolean}} wanted asked anew before each batch; while somebody
   *   waits for the frame `from`, the server has it projected before all others
   * @param {() => void} arrived called after each batch
   */
  async load(wanted, arrived) {
    if (this.busy) return;
    this.busy = true;
    try {
      for (;;) {
        const { from, count, waits } = wanted();
        const first = count > 0 ? this.missing(Math.max(0, Math.min(from, count - 1)), count) : -1;
        if (first < 0) return;
        let last = first;
        const most = this.batchSize();
        while (last + 1 < count && last + 1 - first < most && this.lacks(last + 1)) last += 1;
        const asOf = this.news;
        const answer = await fetch(`${this.address}?frames=${first}-${last}${waits && first === from ? `&shown=${from}` : ""}`);
        if (!answer.ok) return;
        for (const frame of unpack(await answer.arrayBuffer()).frames) this.add(frame);
        for (let at = first; at <= last; at += 1) if (!this.frames.has(at)) this.absent.set(at, asOf);
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
