/** The latent map: points that move between frames, centroids with trails, zoom, hover, selection. */

import { Legend, SampleCard, SelectionLine, className } from "./map_card.js";
import { pointColours } from "./map_colours.js";
import { drawOverlay, trailsBefore } from "./map_overlay.js";
import { MapView } from "./map_view.js";
import { keep, make, pretty, reducedMotion, setText, themeOf } from "./theme.js";
import { createRenderer } from "./webgl.js";

const MORPH_MS = 250;
const REACH = 12;
const COLOURS = [["cluster", "cluster"], ["class", "true class"], ["confidence", "confidence"]];
const KEY_STEP = 60;

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host, data) => new LatentMap(host, data));
}

class LatentMap {
  constructor(host) {
    Object.assign(this, { host, store: null, content: null, drawn: null, since: 0, paints: 0, emphasis: null, hovered: null });
    this.view = new MapView();
    this.canvas = make("canvas", { class: "points", "data-testid": "latent-canvas", role: "img", tabindex: "0" });
    this.over = make("canvas", { class: "over", "aria-hidden": "true" });
    this.card = new SampleCard();
    this.message = make("div", { class: "message", role: "status", hidden: true });
    this.stage = make("div", { class: "stage" }, this.canvas, this.over, this.message, this.card.element);
    this.legend = new Legend((entry) => {
      this.emphasis = entry;
      this.recolour();
    });
    this.line = new SelectionLine();
    this.projections = make("span", { class: "cl-segments", role: "group", "aria-label": "Projection" });
    this.modes = make("span", { class: "cl-segments", role: "group", "aria-label": "Colour" });
    const bar = make("div", { class: "bar" }, make("label", {}, "map", this.projections), make("label", {}, "colour", this.modes));
    host.append(bar, this.stage, this.legend.element, this.line.element);
    this.renderer = createRenderer(this.canvas);
    this.theme = themeOf(host);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
    this.listen();
  }

  bind(store, { height }) {
    this.stage.style.setProperty("--height", height ? `${height}px` : "");
    if (store !== this.store) {
      Object.assign(this, { store, content: null, drawn: null, paints: 0 });
      this.view = new MapView();
      this.clear();
      this.renderControls();
    }
    this.resize();
    this.update("frame");
  }

  /** News from the bus, see `Store`. */
  update(kind) {
    if (!this.store || kind === "scalars" || kind === "metrics") return;
    if (kind === "beliefs" || kind === "sample") this.card.refresh();
    if (kind === "theme") this.theme = themeOf(this.host);
    if (["about", "sample", "view"].includes(kind)) this.renderControls();
    if (["frame", "points", "view", "about"].includes(kind)) this.take();
    if (["view", "theme", "sample", "about"].includes(kind)) this.recolour();
    this.describe();
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
      this.hovered = null;
      this.card.hide();
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
      ground: this.theme.ground, shaded: this.mode === "confidence", emphasis: this.emphasis,
    });
  }

  recolour() {
    if (!this.drawn) return;
    const colours = this.colours(this.drawn.points);
    Object.assign(this.content, { colourBefore: colours, colourAfter: colours });
    this.renderer.set(this.content);
    this.request();
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

  request() {
    this.pending ||= requestAnimationFrame((now) => {
      this.pending = 0;
      this.paint(now);
    });
  }

  /** Take away what another run has left on the map. */
  clear() {
    this.renderer.set({ before: new Float32Array(0), after: new Float32Array(0), colourBefore: new Uint8Array(0), colourAfter: new Uint8Array(0) });
    this.renderer.draw({ x: 0, y: 0, scale: 1 }, 1, 1);
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
    this.renderer.draw(view, share, this.pointSize(points.n), this.mode === "class" ? 1.6 * this.ratio : 0);
    const { selected, palette } = this.store;
    drawOverlay(this.over.getContext("2d"), {
      ratio: this.ratio, theme: this.theme, points, share, before: this.content.centroids, trails: this.trails,
      colours: this.mode === "class" ? palette.clusters.map(() => this.theme.text) : palette.clusters,
      emphasis: this.mode === "class" ? null : this.emphasis,
      ring: selected === null ? null : this.placeOf(selected, share), hovered: this.hovered === null ? null : this.placeOf(this.hovered, share),
      to: ([x, y]) => [this.canvas.width / 2 + (x - view.x) * view.scale, this.canvas.height / 2 - (y - view.y) * view.scale],
    });
    this.paints += 1;
    this.tell(points, view);
    if (moving || share < 1) this.request();
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
    dataset.renderer = this.renderer.kind;
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
    const title = (name) => store.projections.find((entry) => entry.name === name)?.title ?? name;
    let message = "";
    if (store.error) message = store.error;
    else if (store.connection === "offline") message = "The connection is lost; trying again…";
    else if (!store.records.length) message = store.alive || !store.status ? "The first frame is on its way…" : "This run has recorded no frame.";
    else message = this.delay(title);
    setText(this.message, message);
    this.message.hidden = !message;
    this.message.classList.toggle("middle", !this.drawn);
    if (!this.drawn) return;
    this.describeLegend();
    const about = store.projections.find(({ name }) => name === this.drawn.projection);
    this.line.element.hidden = false;
    this.line.update(store, this.drawn.points, noteOf(about, store.sample?.n));
    const { n, k, step } = this.drawn.points;
    this.canvas.setAttribute("aria-label", `Map of ${n} samples in ${k} clusters at step ${step}, ${title(this.drawn.projection)}`);
  }

  /** Why the map does not show the frame that one looks at, or not in the projection chosen; "" if it does. */
  delay(title) {
    const { projection, frame } = this.store;
    if (!projection) return this.drawn ? "" : "The map is being computed…";
    const chosen = title(projection), { problems, absent } = this.store.pointsIn(projection);
    const same = this.drawn?.projection === projection;
    const instead = !this.drawn ? "" : same ? `; the map still shows frame ${this.drawn.points.frame + 1}` : `; this is ${title(this.drawn.projection)}`;
    if (same && this.drawn.points.frame === frame) return "";
    if (frame in problems) return `${chosen} of frame ${frame + 1} cannot be computed: ${problems[frame]}${instead}`;
    if (!this.drawn) return `${chosen} is being computed…`;
    if (!same) return `${chosen} is warming up… this is ${title(this.drawn.projection)}`;
    // one that only has to be fetched is there in a moment
    return absent.has(frame) ? `${chosen} of frame ${frame + 1} is on its way${instead}` : "";
  }

  describeLegend() {
    const { palette, sample } = this.store;
    const byClass = this.mode === "class";
    const list = byClass ? palette.classes : palette.clusters.slice(0, this.drawn.points.k);
    const counts = new Array(list.length).fill(0);
    for (const entry of byClass ? sample.y : this.drawn.points.labels) if (entry in counts) counts[entry] += 1;
    this.legend.update(list.map((colour, at) => ({ colour, name: byClass ? className(sample, at) : String(at), count: counts[at] })), byClass ? "classes" : "clusters");
  }

  // ---- hands ------------------------------------------------------------------------------------------------------

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      if (!this.drawn) return;
      event.preventDefault();
      const [dx, dy] = this.fromMiddle(event);
      this.view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), dx, dy);
      this.request();
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.drag = { x: event.clientX, y: event.clientY, moved: 0 };
    });
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointerleave", () => this.hover(null));
    canvas.addEventListener("dblclick", () => this.fit());
    canvas.addEventListener("keydown", (event) => this.press(event));
  }

  move(event) {
    if (!this.drawn) return;
    if (!this.drag) return this.hover(event);
    const dx = event.clientX - this.drag.x, dy = event.clientY - this.drag.y;
    this.drag = { x: event.clientX, y: event.clientY, moved: this.drag.moved + Math.abs(dx) + Math.abs(dy) };
    if (this.drag.moved < 4) return;
    this.canvas.classList.add("moving");
    this.hover(null);
    this.view.pan(dx * this.ratio, -dy * this.ratio);
    this.request();
  }

  release(event) {
    const clicked = this.drag && this.drag.moved < 4;
    this.drag = null;
    this.canvas.classList.remove("moving");
    if (clicked && this.drawn) {
      const position = this.nearest(event);
      if (position !== null) this.store.select(position);
    }
  }

  press(event) {
    const moves = { "+": [1.25, 0, 0], "=": [1.25, 0, 0], "-": [0.8, 0, 0] };
    if (event.key === "Escape") this.store?.select(null);
    else if (event.key === "0") this.fit();
    else if (event.key in moves && this.drawn) this.view.zoom(...moves[event.key]);
    else if (event.key === "ArrowUp" && this.drawn) this.view.pan(0, -KEY_STEP);
    else if (event.key === "ArrowDown" && this.drawn) this.view.pan(0, KEY_STEP);
    else return;
    event.preventDefault();
    this.request();
  }

  fit() {
    if (!this.drawn) return;
    this.view.fit(this.store.pointsIn(this.drawn.projection).range, this.canvas.width, this.canvas.height, performance.now(), true);
    this.request();
  }

  hover(event) {
    const position = event ? this.nearest(event) : null;
    this.canvas.classList.toggle("pointing", position !== null);
    if (position === null) this.card.hide();
    else {
      const box = this.canvas.getBoundingClientRect();
      this.card.show(this.store, this.drawn.points, position, event.clientX - box.left, event.clientY - box.top, box);
    }
    if (position !== this.hovered) {
      this.hovered = position;
      this.request();
    }
  }

  fromMiddle(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left - box.width / 2) * this.ratio, (box.height / 2 - (event.clientY - box.top)) * this.ratio];
  }

  /** Position of the sample under the cursor, null if none is within reach. */
  nearest(event) {
    const view = this.view.current, { points } = this.drawn.points;
    const [dx, dy] = this.fromMiddle(event);
    const x = view.x + dx / view.scale, y = view.y + dy / view.scale;
    let best = ((REACH * this.ratio) / view.scale) ** 2, found = null;
    for (let at = 0; at < points.length; at += 2) {
      const away = (points[at] - x) ** 2 + (points[at + 1] - y) ** 2;
      if (away < best) [best, found] = [away, at / 2];
    }
    return found;
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.pending);
    this.renderer.destroy();
  }
}

/** A small segmented control whose buttons are kept while their names stay. */
function segments(element, entries, chosen, choose) {
  const names = entries.map(([name]) => name).join();
  element.closest("label").hidden = entries.length < 2;
  if (element.dataset.names !== names) {
    element.dataset.names = names;
    element.replaceChildren(...entries.map(([name, title]) => make("button", { type: "button", "data-name": name }, title)));
  }
  for (const button of element.children) {
    button.setAttribute("aria-pressed", String(button.dataset.name === chosen));
    button.onclick = () => choose(button.dataset.name);
  }
}

/** The line under the map: what this projection is, and how far it may be believed. */
function noteOf(about, n) {
  if (!about) return "";
  const parts = [n ? `${about.title} of ${pretty(n)} samples` : about.title];
  if (about.name === "umap") parts.push("distances mean little");
  if (about.stability !== null) parts.push(`a point moves by ${(100 * about.stability).toFixed(0)} % of the radius a frame`);
  return parts.join(" · ");
}
