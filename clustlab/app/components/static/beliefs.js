/** Soft assignments of frames, fetched when somebody asks what a sample believes in. */

const KEPT = 8;

/** Q of the frames of one run, as bytes: 255 is certain. */
export class Beliefs {
  /**
   * @param {(frame: number) => string} address where the beliefs of a frame are
   * @param {() => void} arrived called when beliefs that were asked for have come
   */
  constructor(address, arrived) {
    Object.assign(this, { address, arrived });
    this.frames = new Map();
  }

  /** What a sample believes at a frame: k values from 0 to 1, null while unknown or where the phase assigns hard. */
  of(frame, position, k) {
    if (!this.frames.has(frame)) this.load(frame);
    const all = this.frames.get(frame);
    if (!all || all.length < (position + 1) * k) return null;
    return Array.from(all.subarray(position * k, (position + 1) * k), (value) => value / 255);
  }

  async load(frame) {
    this.frames.set(frame, null);
    if (this.frames.size > KEPT) this.frames.delete(this.frames.keys().next().value);
    const answer = await fetch(this.address(frame)).catch(() => null);
    if (!answer?.ok) {
      this.frames.delete(frame);
      return;
    }
    this.frames.set(frame, new Uint8Array(await answer.arrayBuffer()));
    this.arrived();
  }
}
