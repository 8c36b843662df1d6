/** One store a run, shared by every component of the page: what is known of the run, and what the person looks at. */

import { Beliefs } from "./beliefs.js";
import { Line } from "./line.js";
import { MapPicture } from "./map_picture.js";
import { PointStore, unpack } from "./points.js";
import { Selection } from "./selection.js";

const stores = new Map();
const LINGER_MS = 2000;
const PATIENCE_MS = 4000;
const FRAMES_PER_SECOND = 4;
const LIVE = new Set(["queued", "starting", "running", "paused"]);

/** The store of a run; opened by the first component that asks. Another scope has a store, and so a frame, of its own. */
export function openStore(run, scope = "") {
  const key = `${scope} ${run}`;
  let store = stores.get(key);
  if (!store) {
    store = Object.assign(new Store(run), { key });
    stores.set(key, store);
    store.open();
  }
  store.users += 1;
  clearTimeout(store.closing);
  return store;
}

/** Give a store back; it closes when nobody has used it for a moment. */
export function closeStore(store) {
  store.users -= 1;
  clearTimeout(store.closing);
  store.closing = setTimeout(() => {
    if (store.users > 0) return;
    stores.delete(store.key);
    store.close();
  }, LINGER_MS);
}

/**
 * A run as the page sees it. Components subscribe and are told the kind of news: `about`, `status`, `records`,
 * `scalars`, `events`, `sample`, `points`, `frame`, `selection`, `pair`, `beliefs`, `term`, `view`, `play`, `connection`.
 */
class Store {
  constructor(run) {
    this.run = run;
    this.users = 0;
    this.listeners = new Set();
    Object.assign(this, { about: null, status: null, title: "", records: [], scalars: [], events: [] });
    Object.assign(this, { palette: { clusters: [], classes: [], none: "#8A8F98" }, projections: [], sample: null, thumbnails: null, hasSample: false });
    Object.assign(this, { frame: -1, following: true, playing: false, speed: 1, term: null });
    this.selection = new Selection({
      labels: (frame) => [...this.points.values()].map(({ frames }) => frames.get(frame)?.labels).find(Boolean) ?? null,
      classes: () => this.sample?.y ?? null,
      count: () => this.sample?.n ?? 0,
    }, (kind) => this.emit(kind));
    this.beliefs = new Beliefs((frame) => this.address(`beliefs/${frame}`), () => this.emit("beliefs"));
    this.line = new Line({
      opened: () => this.opened(), heard: (text) => this.hear(JSON.parse(text)), received: (buffer) => this.receive(buffer),
      changed: () => this.emit("connection"), again: () => this.connect(),
    });
    Object.assign(this, { projection: null, colour: "cluster", error: "" });
    Object.assign(this, { points: new Map(), picture: new MapPicture(this), counts: { scalars: 0 }, closed: false, placed: false });
  }

  address(path) {
    return new URL(`clustlab/runs/${encodeURIComponent(this.run)}/${path}`, document.baseURI).href;
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  emit(kind) {
    if (kind === "points" || kind === "sample") this.selection.settle();
    for (const listener of [...this.listeners]) listener(kind);
  }

  get alive() {
    return LIVE.has(this.status?.state);
  }

  /** Record of the frame shown. */
  get record() {
    return this.records[this.frame] ?? null;
  }

  // ---- opening, pushing, reconnecting -------------------------------------------------------------------------

  async open() {
    try {
      const answer = await fetch(this.address("about"));
      const content = await answer.json();
      if (!answer.ok) return this.fail(content.error);
      this.describe(content);
    } catch {
      return this.line.retry(() => this.open());
    }
    this.error = "";
    this.connect();
    if (this.hasSample) this.loadSample();
  }

  describe(content) {
    Object.assign(this, {
      about: content.about, status: content.status, title: content.title, palette: content.palette,
      records: content.records, scalars: content.scalars, events: content.events,
      projections: content.projections, hasSample: content.has_sample,
    });
    this.counts.scalars = content.n_scalars;
    if (!this.projection || !this.projections.some(({ name }) => name === this.projection)) {
      this.projection = this.projections[0]?.name ?? null;
    }
    if (!this.placed) this.following = this.alive;
    this.placed = true;
    this.emit("about");
    if (this.frame < 0 || this.following) this.place(this.records.length - 1);
    this.loadPoints();
  }

  fail(sentence) {
    this.error = sentence || "The run could not be opened.";
    this.emit("about");
  }

  connect() {
    const known = new URLSearchParams({
      records: this.records.length, events: this.events.length, scalars: this.counts.scalars,
      projections: this.wantedProjections().join(","),
    });
    this.subscribed = known.get("projections");
    this.line.connect(this.address(`live?${known}`));
  }

  /** Whether news come: `connecting`, `live` or `offline`. */
  get connection() {
    return this.line.state;
  }

  opened() {
    for (const store of this.points.values()) store.renew();
    this.emit("connection");
    this.loadPoints();
  }

  close() {
    this.closed = true;
    this.pause();
    clearTimeout(this.impatience);
    this.line.close();
  }

  /** News of the server, as JSON. */
  hear(news) {
    if (news.error) return this.fail(news.error);
    if (news.about) {
      const { title, ...about } = news.about;
      const first = !this.about?.phases;
      Object.assign(this, { about, title });
      if (first) this.refresh();
    }
    if (news.status) {
      const ended = this.status && !this.alive;
      this.status = news.status;
      // who looks at the end of a run that is resumed goes on with it
      if (ended && this.alive && !this.playing && this.frame >= this.records.length - 1) this.following = true;
    }
    if (news.scalars) {
      this.scalars = this.scalars.concat(news.scalars).slice(-1200);
      this.counts.scalars += news.scalars.length;
    }
    if (news.events) this.events = this.events.concat(news.events);
    if (news.records) {
      this.records = this.records.concat(news.records);
      if (!this.projections.length) this.refresh();
    }
    if (news.has_sample && !this.sample) this.loadSample();
    for (const kind of ["about", "status", "scalars", "events", "records"]) if (news[kind]) this.emit(kind);
    if (news.projected) {
      for (const [name, { problems }] of Object.entries(news.projected)) this.pointsIn(name).renew(problems);
      this.emit("points");
      this.note();
    }
    if (news.records || news.projected || news.status) {
      this.loadPoints();
      this.catchUp();
    }
  }

  /** Fetch the description again: a run that had just been started has become known better. */
  async refresh() {
    const answer = await fetch(this.address("about")).catch(() => null);
    if (!answer?.ok) return;
    const { palette, projections } = await answer.json();
    Object.assign(this, { palette, projections });
    if (this.dressed) this.dress(this.dressed);
    this.projection ??= projections[0]?.name ?? null;
    this.emit("about");
    this.loadPoints();
  }

  /** Fetch stability and notes of the projections again, now and then. */
  note() {
    if (this.noting) return;
    this.noting = setTimeout(() => {
      this.noting = 0;
      if (!this.closed) this.refresh();
    }, 5000);
  }

  /** Points of a frame, as pushed. */
  receive(buffer) {
    const { projection, frames } = unpack(buffer);
    const store = this.pointsIn(projection);
    for (const frame of frames) store.add(frame);
    this.emit("points");
    this.catchUp();
    this.loadPoints();
  }

  async loadSample() {
    const answer = await fetch(this.address("sample")).catch(() => null);
    if (!answer?.ok) return;
    this.sample = await answer.json();
    this.emit("sample");
    if (!this.sample.thumbnails) return;
    const pictures = await fetch(this.address("thumbnails")).catch(() => null);
    if (!pictures?.ok) return;
    this.thumbnails = new Uint8Array(await pictures.arrayBuffer());
    this.emit("sample");
  }

  // ---- points -------------------------------------------------------------------------------------------------

  pointsIn(projection) {
    let store = this.points.get(projection);
    if (!store) {
      store = new PointStore(this.address(`points/${projection}`));
      this.points.set(projection, store);
    }
    return store;
  }

  wantedProjections() {
    return [this.projection, this.picture.standIn].filter(Boolean);
  }

  loadPoints() {
    if (this.closed || !this.projection) return;
    const names = this.wantedProjections(), wanted = names.join(",");
    if (wanted !== this.subscribed && this.line.say({ projections: names })) this.subscribed = wanted;
    for (const name of names) {
      this.pointsIn(name).load(
        () => {
          const over = this.closed || !this.wantedProjections().includes(name);
          return { from: Math.max(this.frame, 0), count: over ? 0 : this.records.length, waits: this.waits };
        },
        () => {
          this.emit("points");
          this.catchUp();
        },
      );
    }
  }

  /** Whether the person stays at a frame; who follows a live run or plays has left it when it comes. */
  get waits() {
    return !this.playing && !(this.following && this.alive);
  }

  /** Ask for the frame shown if the chosen projection does not have it. */
  want() {
    const own = this.projection && this.pointsIn(this.projection);
    if (!own || own.frames.has(this.frame)) return;
    if (this.waits) own.doubt(this.frame);
    this.loadPoints();
  }

  // ---- what the person looks at ---------------------------------------------------------------------------------

  /** Follow the newest frame, as soon as the map can draw it (or after a while without). */
  catchUp() {
    const last = this.records.length - 1;
    if (!this.following || this.playing || last < 0 || this.frame === last) return;
    const chosen = this.projection ? this.pointsIn(this.projection).newest : -1;
    const { standIn } = this.picture;
    // of a run that has ended the last frame is waited for, or it would come after all the gaps
    const newest = !this.alive ? last : chosen >= 0 || !standIn ? chosen : this.pointsIn(standIn).newest;
    if (newest > this.frame) this.place(Math.min(newest, last));
    if (this.frame === last || this.impatient) return;
    this.impatient = true;
    this.impatience = setTimeout(() => {
      this.impatient = false;
      if (this.following && !this.playing && !this.picture.take().points) this.place(this.records.length - 1);
    }, PATIENCE_MS);
  }

  place(frame) {
    const bounded = Math.max(Math.min(frame, this.records.length - 1), this.records.length ? 0 : -1);
    if (bounded === this.frame) return;
    this.frame = bounded;
    this.emit("frame");
    this.want();
  }

  /** Show a frame; a person who does so no longer follows the run. */
  show(frame) {
    if (this.following) {
      this.following = false;
      this.emit("play");
    }
    this.place(frame);
  }

  /** Follow the run as it grows; for one that has ended, go to its last frame. */
  follow() {
    this.pause();
    this.following = this.alive;
    this.place(this.records.length - 1);
    this.emit("play");
  }

  play() {
    if (this.playing || this.records.length < 2) return;
    if (this.frame >= this.records.length - 1) this.place(0);
    Object.assign(this, { playing: true, following: false, waited: 0 });
    const tick = () => {
      const next = this.frame + 1;
      if (next >= this.records.length) return this.alive ? this.follow() : this.pause();
      const store = this.projection && this.pointsIn(this.projection);
      const late = store && !store.frames.has(next) && store.busy && this.waited < 8;
      this.waited = late ? this.waited + 1 : 0;
      if (!late) this.place(next);
      this.playTimer = setTimeout(tick, this.interval);
    };
    this.playTimer = setTimeout(tick, this.interval);
    this.emit("play");
  }

  /** Milliseconds between frames while playing. */
  get interval() {
    return 1000 / (FRAMES_PER_SECOND * this.speed);
  }

  pause() {
    clearTimeout(this.playTimer);
    if (!this.playing) return;
    this.playing = false;
    this.emit("play");
    this.want();
  }

  setSpeed(speed) {
    this.speed = speed;
    this.emit("play");
  }

  setProjection(name) {
    this.projection = name;
    this.emit("view");
    this.want();
    this.loadPoints();
  }

  setColour(mode) {
    this.colour = mode;
    this.emit("view");
  }

  /** Position in the probe of the sample that is pinned, null if none is. */
  get selected() {
    return this.selection.one;
  }

  /** Positions of the two samples between which one looks, null if there are no two. */
  get pair() {
    return this.selection.pair;
  }

  /** Select a sample by its position in the probe; null selects nothing. */
  select(position) {
    this.selection.pin(position);
  }

  /** Give the clusters other colours, those of their counterparts in another run. */
  dress(colours) {
    this.dressed = colours;
    this.palette = { ...this.palette, clusters: colours };
    this.emit("view");
  }

  /** Point at a term of the objective by its name; null points at none. */
  point(term) {
    this.term = term;
    this.emit("term");
  }
}
