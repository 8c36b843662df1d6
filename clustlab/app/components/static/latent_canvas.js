/** The latent map: points that move between frames, centroids with trails, zoom, hover, selection. */

import { Legend, SampleCard, SelectionLine } from "./map_card.js";
import { pointColours } from "./map_colours.js";
import { MapHands } from "./map_hands.js";
import { PointIndex } from "./map_index.js";
import { drawCentroids, drawMarks, trailsBefore } from "./map_overlay.js";
import { mapSaves } from "./map_save.js";
import { MapThumbnails } from "./map_thumbnails.js";
import { MapTools } from "./map_tools.js";
import { MapView } from "./map_view.js";
import { Voice, mapMessage, noteOf, projectionTitle, selectionSentence } from "./map_words.js";
import { className } from "./samples.js";
import { segments } from "./segments.js";
import { keep, make, reducedMotion, setText, themeOf } from "./theme.js";
import { createRenderer } from "./webgl.js";

const MORPH_MS = 250;
const COLOURS = [["cluster", "cluster"], ["class", "true class"], ["confidence", "confidence"]];

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host, data) => new LatentMap(host, data));
}

class LatentMap {
  constructor(host) {
    Object.assign(this, { host, store: null, content: null, drawn: null, since: 0, paints: 0, emphasis: null, stale: true });
    this.view = new MapView();
    this.canvas = make("canvas", { class: "points", "data-testid": "latent-canvas", role: "img", tabindex: "0" });
    this.over = make("canvas", { class: "over", "aria-hidden": "true" });
    this.card = new SampleCard();
    this.thumbnails = new MapThumbnails();
    this.message = make("div", { class: "message", role: "status", hidden: true });
    this.hands = new MapHands(this);
    this.tools = new MapTools(this.hands, this.canvas);
    this.tools.element.append(mapSaves(this));
    this.heard = make("div", { class: "heard", role: "status", "aria-live": "polite", "data-testid": "map-voice" });
    this.voice = new Voice(this.heard);
    this.stage = make("div", { class: "stage" }, this.canvas, this.over, this.tools.element, this.tools.list, this.message, this.card.element);
    this.legend = new Legend((entry) => {
      this.emphasis = entry;
      this.recolour();
    }, (entry) => this.choose(entry));
    this.line = new SelectionLine();
    this.projections = make("span", { class: "cl-segments", role: "group", "aria-label": "Projection" });
    this.modes = make("span", { class: "cl-segments", role: "group", "aria-label": "Colour" });
    const bar = make("div", { class: "bar" }, make("label", {}, "map", this.projections), make("label", {}, "colour", this.modes));
    host.append(bar, this.stage, this.legend.element, this.line.element, this.heard);
    this.renderer = createRenderer(this.canvas);
    this.theme = themeOf(host);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
  }

  bind(store, { height, compact, tells }, { setTriggerValue }) {
    this.joined = tells ? (pair) => setTriggerValue("pair", pair) : null;
    this.host.classList.toggle("compact", Boolean(compact));
    this.stage.style.setProperty("--height", height ? `${height}px` : "");
    if (store !== this.store) {
      Object.assign(this, { store, content: null, drawn: null, paints: 0 });
      this.view = new MapView();
      this.thumbnails = new MapThumbnails();
      this.clear();
      this.renderControls();
    }
    this.resize();
    this.update("frame");
  }

  /** News from the bus, see `Store`. */
  update(kind) {
    if (!this.store || kind === "scalars") return;
    if (kind === "beliefs" || kind === "sample") this.card.refresh();
    if (kind === "theme") this.theme = themeOf(this.host);
    if (["about", "sample", "view"].includes(kind)) this.renderControls();
    if (["frame", "points", "view", "about"].includes(kind)) this.take();
    if (["view", "theme", "sample", "about", "selection"].includes(kind)) this.recolour();
    this.describe();
    this.speak(kind);
    this.request();
  }

  /** Take over the points of the frame shown, if they are others than those on the screen. */
  take() {
    const { projection, points } = this.store.picture.take();
    const now = performance.now();
    if (!points) return;
    const range = this.store.pointsIn(projection).range;
    if (points !== this.drawn?.points) {
      const turned = projection !== this.drawn?.projection;
      const colour = this.colours(points);
      const from = turned || reducedMotion() ? null : this.present(now);
      const same = from?.places.length === points.points.length;
      this.content = {
        before: same ? from.places : points.points, after: points.points,
        colourBefore: same ? from.colours : colour, colourAfter: colour,
        // centroids are placed anew where a phase begins; that is no way they have gone
        centroids: same && this.phaseOf(points) === this.phaseOf(this.drawn.points) ? from.centroids : null,
      };
      this.drawn = { projection, points };
      this.since = now;
      this.duration = Math.min(MORPH_MS, this.store.playing ? this.store.interval : MORPH_MS);
      this.renderer.set(this.content);
      if (turned) this.view.use(projection);
      this.hands.stay();
    }
    this.trails = trailsBefore(this.store.pointsIn(projection), points.frame, points.k, this.store.records);
    this.view.fit(range, this.canvas.width, this.canvas.height, now);
  }

  phaseOf({ frame }) {
    return this.store.records[frame]?.phase;
  }

  share(now) {
    const share = Math.min(1, (now - this.since) / (this.duration || MORPH_MS));
    return share * share * (3 - 2 * share);
  }

  /** Places and colours on the screen at this moment, from where the next movement starts. */
  present(now) {
    if (!this.content) return null;
    const share = this.share(now);
    const { before, after, colourAfter, centroids } = this.content;
    const target = this.drawn.points.centroids;
    const between = (first, second) => (share >= 1 || !first ? second : first.map((value, at) => value + (second[at] - value) * share));
    return { places: between(before, after), colours: colourAfter, centroids: between(centroids?.length === target.length ? centroids : null, target) };
  }

  // ---- colours ----------------------------------------------------------------------------------------------------

  get mode() {
    return this.store.colour === "class" && !this.store.sample?.y ? "cluster" : this.store.colour;
  }

  colours(points) {
    const { palette, sample } = this.store;
    const byClass = this.mode === "class";
    return pointColours(points, {
      entries: byClass ? sample.y : points.labels, palette: byClass ? palette.classes : palette.clusters, none: palette.none,
      ground: this.theme.ground, shaded: this.mode === "confidence", emphasis: this.emphasis, mask: this.store.selection.set?.mask ?? null,
    });
  }

  recolour() {
    if (!this.drawn) return;
    const colours = this.colours(this.drawn.points);
    Object.assign(this.content, { colourBefore: colours, colourAfter: colours });
    this.renderer.recolour(colours);
    this.request();
  }

  /** Select the samples of an entry of the legend, or let them go if they are selected. */
  choose(entry) {
    const { selection } = this.store;
    if (this.chosen(entry)) selection.clear();
    else selection.group(this.mode === "class" ? { class: entry } : { cluster: entry, frame: this.drawn.points.frame });
  }

  /** Whether exactly the samples of an entry of the legend are selected. */
  chosen(entry) {
    const { origin } = this.store.selection;
    if (!origin) return false;
    if (this.mode === "class") return origin.class === entry && origin.cluster === undefined;
    return origin.cluster === entry && origin.class === undefined && origin.from === undefined && origin.frame === this.drawn.points.frame;
  }

  // ---- painting ---------------------------------------------------------------------------------------------------

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height) return;
    if (this.canvas.width === Math.round(width * ratio) && this.canvas.height === Math.round(height * ratio)) return;
    for (const canvas of [this.canvas, this.over]) {
      Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    }
    this.ratio = ratio;
    if (this.drawn) {
      if (!this.view.chosen) this.view.current.scale = 0;
      this.view.fit(this.store.pointsIn(this.drawn.projection).range, this.canvas.width, this.canvas.height, 0);
    }
    this.paint(performance.now());
  }

  /** Have all painted at the next moment. */
  request() {
    this.stale = true;
    this.requestOverlay();
  }

  /** Have only that painted which lies over the points. */
  requestOverlay() {
    this.pending ||= requestAnimationFrame((now) => {
      this.pending = 0;
      this.paint(now);
    });
  }

  /** Take away what another run has left on the map. */
  clear() {
    this.renderer.set({ before: new Float32Array(0), after: new Float32Array(0), colourBefore: new Uint8Array(0), colourAfter: new Uint8Array(0) });
    this.renderer.draw({ x: 0, y: 0, scale: 1 }, 1, { size: 1 });
    this.over.getContext("2d").clearRect(0, 0, this.over.width, this.over.height);
    for (const name of ["frame", "points", "step", "run"]) delete this.canvas.dataset[name];
    this.legend.update([]);
    this.line.element.hidden = true;
    this.card.hide();
  }

  paint(now) {
    const view = this.view.current;
    if (!view?.scale || !this.drawn) return;
    const moving = this.view.advance(now, reducedMotion());
    const { points } = this.drawn;
    const share = this.share(now);
    if (this.stale) {
      const layered = this.emphasis !== null || Boolean(this.store.selection.set);
      this.renderer.draw(view, share, { size: this.pointSize(points.n), line: this.mode === "class" ? 1.6 * this.ratio : 0, layered });
      this.paints += 1;
    }
    this.stale = false;
    this.explain();
    const fading = this.paintOverlay(now, share);
    this.tell(points, view);
    if (moving || share < 1) this.request();
    else if (fading) this.requestOverlay();
  }

  /** Paint what lies over the points; true while something of it comes or goes. */
  paintOverlay(now, share) {
    const context = this.over.getContext("2d"), { ratio, theme, store, hands } = this;
    const to = (place) => this.toPixels(place), place = (position) => to(this.placeOf(position, share));
    const { palette, selected, pair } = store, { points } = this.drawn;
    context.clearRect(0, 0, this.over.width, this.over.height);
    const fading = this.thumbnails.draw(context, {
      store, index: () => this.index, chosen: this.view.chosen, box: this.box, ratio, colours: this.content.colourAfter, place,
      hovered: hands.hovered, still: reducedMotion(),
    }, now);
    drawCentroids(context, {
      ratio, theme, points, share, before: this.content.centroids, trails: this.trails, to,
      colours: this.mode === "class" ? palette.clusters.map(() => theme.text) : palette.clusters,
      emphasis: this.mode === "class" ? null : this.emphasis,
    });
    const there = (position) => position !== null && position < points.n, around = 0.8 * this.thumbnails.reach;
    drawMarks(context, {
      ratio, theme, outline: hands.outline?.map(to) ?? null, path: pair?.every(there) ? pair.map(place) : null,
      rings: [[hands.hovered, 6], ...(pair ?? [selected]).map((position) => [position, 9])]
        .filter(([position]) => there(position)).map(([position, wide]) => [place(position), Math.max(wide * ratio, 1.9 * around)]),
    });
    return fading;
  }

  /** Device pixels of a place in the coordinates of the points. */
  toPixels([x, y]) {
    const view = this.view.current;
    return [this.canvas.width / 2 + (x - view.x) * view.scale, this.canvas.height / 2 - (y - view.y) * view.scale];
  }

  /** Device pixels of a sample. */
  pixelsOf(position) {
    return this.toPixels(this.placeOf(position, 1));
  }

  /** What is on the screen, in the coordinates of the points. */
  get box() {
    const { x, y, scale } = this.view.current, wide = this.canvas.width / 2 / scale, high = this.canvas.height / 2 / scale;
    return { left: x - wide, right: x + wide, bottom: y - high, top: y + high };
  }

  /** Whether a sample is on the screen. */
  shows(position) {
    const [x, y] = this.placeOf(position, 1), { left, right, bottom, top } = this.box;
    return x > left && x < right && y > bottom && y < top;
  }

  /** Whether a view chosen by the person has no sample in it: too far in, or left behind by codes that spread. */
  get astray() {
    if (!this.drawn || !this.view.chosen) return false;
    const { points } = this.drawn.points, { left, right, bottom, top } = this.box;
    for (let at = 0; at < points.length; at += 2) {
      const x = points[at], y = points[at + 1];
      if (x > left && x < right && y > bottom && y < top) return false;
    }
    return points.length > 0;
  }

  /** Move the map so that a sample is in the middle. */
  lookAt(position) {
    const view = this.view.current, [x, y] = this.placeOf(position, 1);
    this.view.pan((view.x - x) * view.scale, (view.y - y) * view.scale);
  }

  /** Where the points on the screen are, for quick questions. */
  get index() {
    const { points } = this.drawn.points;
    if (this.indexed?.xy !== points) this.indexed = new PointIndex(points);
    return this.indexed;
  }

  /** Diameter of a point in device pixels: smaller where there are many, larger when one looks closer. */
  pointSize(n) {
    const base = n > 8000 ? 3.6 : n > 3000 ? 4.6 : 6;
    return (this.mode === "class" ? base + 2 : base) * this.ratio;
  }

  placeOf(position, share) {
    const { before, after } = this.content;
    return [0, 1].map((part) => before[2 * position + part] + (after[2 * position + part] - before[2 * position + part]) * share);
  }

  /** What tests and screen readers can know of a picture. */
  tell(points, view) {
    const { dataset } = this.canvas;
    Object.assign(dataset, { run: this.store.run, frame: points.frame, points: points.n, step: points.step, paints: this.paints, projection: this.drawn.projection });
    dataset.zoom = JSON.stringify({ x: view.x, y: view.y, scale: view.scale, chosen: view.chosen });
    Object.assign(dataset, { renderer: this.renderer.kind, pictures: this.thumbnails.reach ? this.thumbnails.positions.length : 0 });
  }

  // ---- words ------------------------------------------------------------------------------------------------------

  renderControls() {
    const { projections, sample, store } = { ...this.store, store: this.store };
    segments(this.projections, projections.map(({ name, title }) => [name, title]), store.projection, (name) => store.setProjection(name));
    const modes = COLOURS.filter(([name]) => name !== "class" || sample?.y);
    segments(this.modes, modes, this.mode, (name) => store.setColour(name));
  }

  describe() {
    const { store } = this;
    this.explain();
    if (!this.drawn) return;
    this.describeLegend();
    const about = store.projections.find(({ name }) => name === this.drawn.projection);
    this.line.element.hidden = false;
    this.line.update(store, this.drawn.points, noteOf(about, store.sample?.n));
    const { n, k, step } = this.drawn.points;
    this.canvas.setAttribute("aria-label", `Map of ${n} samples in ${k} clusters at step ${step}, ${projectionTitle(store, this.drawn.projection)}`);
    this.canvas.dataset.selected = store.selection.set?.positions.length ?? store.pair?.length ?? Number(store.selected !== null);
  }

  /** Say on the map why it does not show what one looks at. */
  explain() {
    const message = mapMessage(this.store, this.drawn) || (this.astray ? "No sample is in this view; a double click shows all." : "");
    setText(this.message, message);
    this.message.hidden = !message;
    this.message.classList.toggle("middle", !this.drawn);
  }

  /** Tell those who do not see the map what is selected, and which frame a person at rest has come to. */
  speak(kind) {
    const { store } = this;
    if (!this.drawn) return;
    if (kind === "selection" || kind === "pair") this.voice.say(selectionSentence(store, this.drawn.points) || "nothing is selected");
    else if (kind === "frame" && store.waits && store.record) {
      this.voice.say(`frame ${store.frame + 1} of ${store.records.length}, step ${store.record.step}`);
    }
  }

  /** Show what a centroid stands for, near a place in CSS pixels. */
  showCentroid(cluster, ...place) {
    let size = 0;
    for (const label of this.drawn.points.labels) size += Number(label === cluster);
    this.card.tell(`cluster ${cluster}`, `${size} samples; click to select them`, ...place);
  }

  describeLegend() {
    const { palette, sample } = this.store;
    const byClass = this.mode === "class";
    const list = byClass ? palette.classes : palette.clusters.slice(0, this.drawn.points.k);
    const counts = new Array(list.length).fill(0);
    for (const entry of byClass ? sample.y : this.drawn.points.labels) if (entry in counts) counts[entry] += 1;
    const entries = list.map((colour, at) => ({ colour, name: byClass ? className(sample, at) : String(at), count: counts[at], chosen: this.chosen(at) }));
    this.legend.update(entries, byClass ? "classes" : "clusters");
  }

  /** Show all of the points again. */
  fit() {
    if (!this.drawn) return;
    this.view.fit(this.store.pointsIn(this.drawn.projection).range, this.canvas.width, this.canvas.height, performance.now(), true);
    this.request();
  }

  destroy() {
    this.observer.disconnect();
    this.voice.silence();
    cancelAnimationFrame(this.pending);
    this.renderer.destroy();
  }
}
