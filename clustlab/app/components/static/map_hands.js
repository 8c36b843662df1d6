/** What hands do on the map: zoom, move, point, click, draw a lasso; with a mouse, a pen, or the keyboard. */

import { portrait } from "./map_words.js";

const REACH = 12;
const CENTROID = 11;
const KEY_STEP = 60;
const STILL = 4;
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Hands on one map; what they point at and the lasso that they draw are the map's to paint. */
export class MapHands {
  constructor(map) {
    Object.assign(this, { map, canvas: map.canvas, drag: null, outline: null, hovered: null, keyed: false, tool: false, dropped: null });
    const { canvas } = map;
    canvas.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.grasp(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", () => this.letGo());
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("dblclick", () => this.fit());
    canvas.addEventListener("keydown", (event) => this.press(event));
  }

  /** Whether dragging draws a lasso; otherwise it moves the map, unless the shift key is held. */
  take(lasso) {
    this.tool = lasso;
    this.canvas.classList.toggle("lasso", lasso);
  }

  // ---- places -------------------------------------------------------------------------------------------------------

  /** Place of an event in device pixels from the middle of the map, y upwards. */
  fromMiddle(event) {
    const box = this.canvas.getBoundingClientRect(), { ratio } = this.map;
    return [(event.clientX - box.left - box.width / 2) * ratio, (box.height / 2 - (event.clientY - box.top)) * ratio];
  }

  /** Place of an event in the coordinates of the points. */
  placeOf(event) {
    const [dx, dy] = this.fromMiddle(event), view = this.map.view.current;
    return [view.x + dx / view.scale, view.y + dy / view.scale];
  }

  /** Position of the sample at an event, null if none is within reach. */
  sampleAt(event) {
    const reach = Math.max(REACH * this.map.ratio, this.map.thumbnails.reach);
    return this.map.index.nearest(...this.placeOf(event), reach / this.map.view.current.scale);
  }

  /** Cluster whose centroid is at an event, null if there is none; the one on top where several are. */
  centroidAt(event) {
    const [x, y] = this.placeOf(event), { k, centroids } = this.map.drawn.points;
    const reach = ((CENTROID * this.map.ratio) / this.map.view.current.scale) ** 2;
    for (let cluster = k - 1; cluster >= 0; cluster -= 1) {
      if ((centroids[2 * cluster] - x) ** 2 + (centroids[2 * cluster + 1] - y) ** 2 <= reach) return cluster;
    }
    return null;
  }

  // ---- mouse and pen --------------------------------------------------------------------------------------------------

  turn(event) {
    if (!this.map.drawn) return;
    event.preventDefault();
    this.map.view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...this.fromMiddle(event));
    this.map.request();
  }

  grasp(event) {
    if (event.button !== 0 || !this.map.drawn) return;
    this.canvas.setPointerCapture(event.pointerId);
    const lasso = this.tool || event.shiftKey;
    this.drag = { x: event.clientX, y: event.clientY, moved: 0, start: this.placeOf(event), lasso };
  }

  move(event) {
    if (!this.map.drawn) return;
    if (!this.drag) {
      this.point(event);
      return;
    }
    const dx = event.clientX - this.drag.x, dy = event.clientY - this.drag.y;
    Object.assign(this.drag, { x: event.clientX, y: event.clientY, moved: this.drag.moved + Math.abs(dx) + Math.abs(dy) });
    if (this.drag.moved < STILL) return;
    this.point(null);
    if (this.drag.lasso) {
      this.outline ??= [this.drag.start];
      this.extend(this.placeOf(event));
      this.map.requestOverlay();
    } else {
      this.canvas.classList.add("moving");
      this.map.view.pan(dx * this.map.ratio, -dy * this.map.ratio);
      this.map.request();
    }
  }

  /** Lead the lasso to a place, unless it is as good as there. */
  extend([x, y]) {
    const [lastX, lastY] = this.outline.at(-1);
    if (Math.hypot(x - lastX, y - lastY) * this.map.view.current.scale >= STILL * this.map.ratio) this.outline.push([x, y]);
  }

  release(event) {
    const { drag, outline } = this;
    this.letGo();
    if (!drag || !this.map.drawn) return;
    if (outline) this.map.store.selection.gather(this.map.index.inside(outline));
    else if (drag.moved < STILL) this.click(event);
  }

  letGo() {
    Object.assign(this, { drag: null, outline: null });
    this.canvas.classList.remove("moving");
    this.map.requestOverlay();
  }

  click(event) {
    const { selection } = this.map.store;
    const cluster = event.shiftKey ? null : this.centroidAt(event);
    const position = this.sampleAt(event);
    // the first click of a double click into the empty must not lose what is selected
    this.dropped = cluster === null && position === null && !selection.empty ? selection.kept : null;
    if (cluster !== null) selection.group({ cluster, frame: this.map.drawn.points.frame });
    else if (position === null) selection.clear();
    else if (event.shiftKey) this.join(position);
    else selection.pin(position);
  }

  /** Join a sample to the one selected; the page, which may show what lies between them, is told of two. */
  join(position) {
    const { selection } = this.map.store;
    selection.join(position);
    if (selection.pair) this.map.joined?.(selection.pair);
  }

  fit() {
    if (this.dropped) this.map.store.selection.become(this.dropped);
    this.dropped = null;
    this.map.fit();
  }

  /** Point at what is at an event, null at nothing. */
  point(event) {
    const cluster = event && this.centroidAt(event), position = event && cluster === null ? this.sampleAt(event) : null;
    this.canvas.classList.toggle("pointing", Boolean(event) && (cluster !== null || position !== null));
    if (event && (cluster !== null || position !== null)) {
      const box = this.canvas.getBoundingClientRect();
      const place = [event.clientX - box.left, event.clientY - box.top, box];
      if (cluster !== null) this.map.showCentroid(cluster, ...place);
      else this.map.card.show(this.map.store, this.map.drawn.points, position, ...place);
    } else this.map.card.hide();
    this.hover(position);
  }

  /** Points have moved: a sample come to with keys is still meant, what was under the cursor no longer. */
  stay() {
    this.map.card.hide();
    if (!this.keyed) this.hovered = null;
  }

  hover(position, keyed = false) {
    this.keyed = keyed;
    if (position === this.hovered) return;
    this.hovered = position;
    this.map.requestOverlay();
  }

  // ---- keyboard -------------------------------------------------------------------------------------------------------

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.map.drawn) return;
    const act = event.shiftKey && event.key in DIRECTIONS ? () => this.walk(DIRECTIONS[event.key]) : this.acts(event)[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    this.map.request();
  }

  acts({ shiftKey }) {
    const { view } = this.map;
    const acts = {
      "+": () => view.zoom(1.25, 0, 0), "=": () => view.zoom(1.25, 0, 0), "-": () => view.zoom(0.8, 0, 0), 0: () => this.map.fit(),
      ArrowUp: () => view.pan(0, -KEY_STEP), ArrowDown: () => view.pan(0, KEY_STEP),
      n: () => this.next(1), p: () => this.next(-1), Escape: () => this.escape(),
    };
    if (this.hovered === null) return acts;
    return { ...acts, Enter: () => this.choose(shiftKey) };
  }

  choose(joined) {
    const { selection } = this.map.store;
    if (joined) this.join(this.hovered);
    else selection.pin(this.hovered);
    this.map.card.hide();
  }

  escape() {
    if (this.outline) this.letGo();
    else this.map.store.selection.clear();
    this.point(null);
  }

  /** Go to the nearest sample in a direction; the first step goes to the sample selected or to the one in the middle. */
  walk([dx, dy]) {
    const start = this.hovered ?? this.map.store.selected;
    const { x, y } = this.map.view.current;
    const position = start === null ? this.map.index.nearest(x, y, Infinity) : this.map.index.towards(start, dx, dy);
    if (position !== null) this.visit(position);
  }

  /** Go to the next or the previous sample, of those selected if several are. */
  next(by) {
    const { selection } = this.map.store, { index } = this.map;
    const all = selection.set?.positions ?? Array.from({ length: index.n }, (_, position) => position);
    const candidates = all.filter((position) => index.placed(position));
    if (!candidates.length) return;
    const present = candidates.indexOf(this.hovered ?? selection.one ?? -1);
    const from = present < 0 && by < 0 ? 0 : present;
    this.visit(candidates[(from + by + candidates.length) % candidates.length]);
  }

  /** Point at a sample, and move the map if it is not on the screen. */
  visit(position) {
    const { map } = this;
    if (!map.shows(position)) map.lookAt(position);
    this.hover(position, true);
    const [x, y] = map.pixelsOf(position).map((part) => part / map.ratio), box = map.canvas.getBoundingClientRect();
    map.card.show(map.store, map.drawn.points, position, x, y, box);
    const { name, cluster, sure } = portrait(map.store, map.drawn.points, position);
    map.voice.say(`sample ${name}, ${cluster} (${sure})`);
  }
}
