/** What the person has selected in a run: samples, not places, so that it stays the same whatever frame is shown. */

/**
 * One sample pinned (`one`), a second one joined to it (`pair`), or a set of samples (`set`); at most one of `one` and
 * `set` is there at a time. A set that was chosen as a group knows so: `origin` holds its `cluster` and the `frame` whose
 * clusters are meant, the cluster `from` which they have come and the frame `since` then, its `class`, as far as asked for.
 */
export class Selection {
  /**
   * @param {{labels: (frame: number) => ArrayLike<number> | null, classes: () => number[] | null, count: () => number}} known
   *   what is known of the samples by now; `count` is 0 until their number is known
   * @param {(kind: "selection" | "pair") => void} changed called with the kind of news
   */
  constructor(known, changed) {
    Object.assign(this, { known, changed, one: null, pair: null, set: null, origin: null, wanted: null });
  }

  /** Whether nothing is selected. */
  get empty() {
    return this.one === null && this.set === null;
  }

  /** Positions of the samples that figures put forward: those of the set or of the pair. */
  get members() {
    return this.set?.positions ?? this.pair ?? [];
  }

  /** What is selected, to be put back by `become`. */
  get kept() {
    const { one, pair, set, origin } = this;
    return { one, pair, set, origin };
  }

  /** Pin a sample by its position in the probe; null selects nothing. */
  pin(position) {
    this.become({ one: position });
  }

  /** Join a second sample to the one that is pinned; where none is, pin it. */
  join(position) {
    if (this.one === null) this.pin(position);
    else if (position !== this.one) this.become({ one: this.one, pair: [this.one, position] });
  }

  /** Select a set of positions. */
  gather(positions) {
    this.become(this.asSet(positions));
  }

  /** Select the samples of a group, see `positionsOf`; what is not known yet is waited for. */
  group(origin) {
    this.want({ origin });
  }

  /** Select what a link asks for, as soon as it can be known: `{one, pair}`, `{positions}` or `{origin}`. */
  want(wanted) {
    this.wanted = wanted;
    this.settle();
  }

  /** Look whether what is wanted can be selected by now. */
  settle() {
    const { wanted } = this, count = this.known.count();
    if (!wanted || !count) return;
    const inside = (position) => position >= 0 && position < count;
    if (wanted.origin) {
      const positions = this.positionsOf(wanted.origin);
      if (positions) this.become({ ...this.asSet(positions), origin: positions.length > 1 ? wanted.origin : null });
    } else if (wanted.positions) this.gather(wanted.positions.filter(inside));
    else this.become((wanted.pair ?? [wanted.one]).every(inside) ? wanted : {});
  }

  clear() {
    this.become({});
  }

  asSet(positions) {
    if (positions.length < 2) return { one: positions[0] ?? null };
    const mask = new Uint8Array(this.known.count());
    for (const position of positions) mask[position] = 1;
    return { set: { positions: new Int32Array(positions).sort(), mask } };
  }

  /**
   * Positions of the samples in a cluster at a frame, that have come there from a cluster at the frame `since`, of a class:
   * whatever a group asks for. Null while the clusters of a frame or the classes are not known.
   */
  positionsOf({ cluster, frame, from, since, class: number }) {
    const asked = [];
    if (cluster !== undefined) asked.push([this.known.labels(frame), cluster]);
    if (from !== undefined) asked.push([this.known.labels(since), from]);
    if (number !== undefined) asked.push([this.known.classes(), number]);
    if (asked.some(([entries]) => !entries)) return null;
    const found = [];
    for (let at = 0, count = this.known.count(); at < count; at += 1) {
      if (asked.every(([entries, entry]) => entries[at] === entry)) found.push(at);
    }
    return found;
  }

  become({ one = null, pair = null, set = null, origin = null }) {
    const paired = String(pair) !== String(this.pair);
    const other = one !== this.one || Boolean(set || this.set);
    Object.assign(this, { one, pair, set, origin, wanted: null });
    if (other) this.changed("selection");
    if (paired) this.changed("pair");
  }
}
