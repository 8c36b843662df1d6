/** Several runs side by side: one time line, one selection, one projection, matched colours, for the stores of all. */

import { closeStore, openStore } from "./bus.js";

const SCOPE = "compare";
const LINGER_MS = 2000;
const MATCH_MS = 1200;
const FRAMES_PER_SECOND = 4;
const MOST_WAITS = 8;
const comparisons = new Map();

/** What runs are called where a title has no room, and how their curves are drawn: see `compared_curves.py`. */
export const LETTERS = ["A", "B", "C", "D"];
export const LINES = [["#0072B2", ""], ["#D55E00", "7 4"], ["#009E73", "2 4"], ["#CC79A7", "8 3 2 3"]];

/** How `keep` finds the comparison that a component looks at. */
export const SIDE_BY_SIDE = { key: ({ runs }) => runs.join(), open: ({ runs }) => openComparison(runs), close: closeComparison };

function openComparison(runs) {
  const key = runs.join();
  let comparison = comparisons.get(key);
  if (!comparison) {
    comparison = new Comparison(runs);
    comparisons.set(key, comparison);
  }
  comparison.users += 1;
  clearTimeout(comparison.closing);
  return comparison;
}

function closeComparison(comparison) {
  comparison.users -= 1;
  clearTimeout(comparison.closing);
  comparison.closing = setTimeout(() => {
    if (comparison.users > 0) return;
    comparisons.delete(comparison.run);
    comparison.close();
  }, LINGER_MS);
}

/**
 * Runs that are looked at together. Components are told the kind of news: `about`, `status`, `records`, `frame`,
 * `selection`, `view`, `play`, `connection`, `matching`, `sample`.
 */
class Comparison {
  constructor(runs) {
    Object.assign(this, { runs, run: runs.join(), users: 0, listeners: new Set(), closed: false });
    Object.assign(this, { place: 1, share: true, following: true, playing: false, speed: 1 });
    // a figure of several runs puts no sample forward
    Object.assign(this, { selection: { members: [], want: () => {} }, selected: null, pair: null, term: null });
    Object.assign(this, { matching: null, matched: "", absent: [], source: null, ranges: new Map(), linking: false });
    this.stores = runs.map((run) => openStore(run, SCOPE));
    this.leaves = this.stores.map((store) => store.subscribe((kind) => this.hear(store, kind)));
    this.settle();
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  emit(kind) {
    for (const listener of [...this.listeners]) listener(kind);
  }

  close() {
    this.closed = true;
    this.pause();
    clearTimeout(this.matchTimer);
    for (const leave of this.leaves) leave();
    this.stores.forEach(closeStore);
  }

  address(path, parameters = {}) {
    const asked = new URLSearchParams({ runs: this.run, ...parameters });
    return new URL(`clustlab/compare/${path}?${asked}`, document.baseURI).href;
  }

  /** News of one of the runs. */
  hear(store, kind) {
    if (kind === "about") this.settle();
    if (kind === "selection") this.link(store);
    if (kind === "records" && !this.following) this.goTo(this.place);
    if (["about", "records", "points", "status", "frame"].includes(kind)) this.match();
    if (["about", "records", "status", "connection", "sample", "frame"].includes(kind)) this.emit(kind);
  }

  // ---- what the figure holder asks of a store -----------------------------------------------------------------------

  get known() {
    return this.stores.every(({ status, frame }) => status && frame >= 0);
  }

  get frame() {
    return this.known ? 0 : -1;
  }

  get frames() {
    return this.stores.map(({ frame }) => frame);
  }

  get records() {
    return this.known ? this.stores[0].records : [];
  }

  get status() {
    return this.stores.every(({ status }) => status) ? this.stores[0].status : null;
  }

  get alive() {
    return this.stores.some(({ alive }) => alive);
  }

  get error() {
    return this.stores.find(({ error }) => error)?.error ?? "";
  }

  // ---- one projection, one colouring ----------------------------------------------------------------------------------

  /** Projections that all runs have, best first. */
  get projections() {
    const [first, ...others] = this.stores.map(({ projections }) => projections);
    return first.filter(({ name }) => others.every((list) => list.some((entry) => entry.name === name)));
  }

  get projection() {
    return this.stores[0].projection;
  }

  get colour() {
    return this.stores[0].colour;
  }

  /** Once all are known, have them shown in the same projection. */
  settle() {
    if (!this.stores.every(({ projections }) => projections.length)) return;
    const names = this.projections.map(({ name }) => name);
    const chosen = names.includes(this.chosen) ? this.chosen : names[0];
    if (chosen && this.stores.some(({ projection }) => projection !== chosen)) this.setProjection(chosen);
  }

  setProjection(name) {
    this.chosen = name;
    for (const store of this.stores) if (store.projection !== name) store.setProjection(name);
    this.match();
    this.emit("view");
  }

  setColour(mode) {
    for (const store of this.stores) store.setColour(mode);
    this.emit("view");
  }

  // ---- matched colours and planes ---------------------------------------------------------------------------------------

  /** Ask how clusters and planes correspond, again only when the answer may have become another. */
  match() {
    if (this.closed || !this.known) return;
    const wish = JSON.stringify([this.projection, this.stores.map((store) => {
      const own = store.projection ? store.pointsIn(store.projection) : null, last = store.records.length - 1;
      return [store.alive ? store.record?.phase : last, own ? own.newest >= 0 : false, !store.alive && own?.newest === last];
    })]);
    if (wish === this.matched || this.asking) return;
    this.asking = true;
    this.matchTimer = setTimeout(() => this.askMatching(wish), this.matching ? MATCH_MS : 0);
  }

  async askMatching(wish) {
    const answer = await fetch(this.address("matching")).catch(() => null);
    this.asking = false;
    if (this.closed || !answer) return;
    this.matched = wish;
    const content = await answer.json();
    this.matching = content.error ? { sentence: content.error } : content;
    if (!this.matching.sentence) this.dress();
    this.emit("matching");
    this.match();
  }

  dress() {
    const { colours, alignments } = this.matching;
    this.stores.forEach((store, at) => store.dress(colours[at]));
    for (const [name, laid] of Object.entries(alignments)) {
      const told = JSON.stringify(laid);
      if (this.ranges.get(name) === told || laid.includes(null)) continue;
      this.ranges.set(name, told);
      const range = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
      this.stores.forEach((store, at) => store.pointsIn(name).lay(laid[at], range));
    }
    for (const store of this.stores) store.emit("points");
  }

  // ---- one selection --------------------------------------------------------------------------------------------------

  /** Select in all runs what was selected in one: the same rows of the data set, wherever they lie in the probes. */
  link(source) {
    if (this.linking || this.matching?.sentence) return; // rows of other data are other samples
    Object.assign(this, { linking: true, source });
    const { one, set } = source.selection, index = source.sample?.index;
    const rows = one === null ? [...(set?.positions ?? [])].map((at) => index?.[at]) : [index?.[one]];
    this.absent = [];
    this.stores.forEach((store, at) => {
      if (store === source) return;
      const places = rows.map((row) => this.placeIn(store, row)).filter((place) => place !== undefined);
      if (places.length < rows.length) this.absent.push([LETTERS[at], rows.length - places.length]);
      store.selection.gather(places);
    });
    this.linking = false;
    this.emit("selection");
  }

  /** Position in a run's probe of a row of the data set. */
  placeIn(store, row) {
    if (!store.sample) return undefined;
    store.places ??= new Map(store.sample.index.map((each, at) => [each, at]));
    return store.places.get(row);
  }

  /** Select a sample by its row in the data set; null selects nothing. */
  selectRow(row) {
    const store = this.stores.find((each) => this.placeIn(each, row) !== undefined) ?? this.stores[0];
    store.select(row === null ? null : this.placeIn(store, row) ?? null);
  }

  /** Row of the sample that is selected, null if none or several are: other probes may hold one of several only. */
  get row() {
    return this.source?.sample?.index[this.source.selected] ?? null;
  }

  // ---- one time -------------------------------------------------------------------------------------------------------

  get ends() {
    return this.stores.map(({ records }) => records.at(-1)?.step || 1);
  }

  get longest() {
    return Math.max(...this.ends);
  }

  /** The moments to go through: those of the run with the most frames, as places 0 … 1. */
  get moments() {
    const most = this.stores.reduce((best, store) => (store.records.length > best.records.length ? store : best));
    const end = this.share ? most.records.at(-1)?.step || 1 : this.longest;
    return [...new Set([...most.records.map(({ step }) => step / end), 1])];
  }

  /** Have every run show its frame nearest to a place on the time line, 0 … 1. */
  goTo(place) {
    this.place = Math.max(0, Math.min(1, place));
    const { ends, longest } = this;
    this.stores.forEach((store, at) => {
      if (store.records.length) store.show(nearestFrame(store.records, this.place * (this.share ? ends[at] : longest)));
    });
    this.emit("frame");
  }

  /** Show a place; a person who does so no longer follows the runs. */
  show(place) {
    this.following = false;
    this.goTo(place);
  }

  step(by) {
    const { moments } = this;
    const at = by > 0 ? moments.findIndex((moment) => moment > this.place + 1e-9) : moments.findLastIndex((moment) => moment < this.place - 1e-9);
    this.show(at < 0 ? (by > 0 ? 1 : 0) : moments[at]);
  }

  follow() {
    this.pause();
    Object.assign(this, { following: true, place: 1 });
    for (const store of this.stores) store.follow();
    this.emit("frame");
    this.emit("play");
  }

  setShare(share) {
    this.share = share;
    if (!this.following) this.goTo(this.place);
    this.emit("view");
  }

  setSpeed(speed) {
    this.speed = speed;
    for (const store of this.stores) store.setSpeed(speed);
    this.emit("play");
  }

  play() {
    if (this.playing || !this.known) return;
    if (this.place >= 1) this.show(0);
    this.playing = true;
    for (const store of this.stores) store.playing = true; // the maps know how long a movement may take
    let waited = 0;
    const tick = () => {
      if (this.place >= 1) return this.pause();
      const late = this.stores.some((store) => {
        const own = store.projection && store.pointsIn(store.projection);
        return own && own.busy && !own.frames.has(store.frame);
      });
      waited = late && waited < MOST_WAITS ? waited + 1 : 0;
      if (!waited) this.step(1);
      this.timer = setTimeout(tick, 1000 / (FRAMES_PER_SECOND * this.speed));
    };
    this.timer = setTimeout(tick, 1000 / (FRAMES_PER_SECOND * this.speed));
    this.emit("play");
  }

  pause() {
    clearTimeout(this.timer);
    if (!this.playing) return;
    this.playing = false;
    for (const store of this.stores) store.pause();
    this.emit("play");
  }
}

/** Number of the frame nearest to a step; of two at the same step the later one. */
function nearestFrame(records, step) {
  let best = 0;
  records.forEach((record, at) => {
    if (Math.abs(record.step - step) <= Math.abs(records[best].step - step)) best = at;
  });
  return best;
}
