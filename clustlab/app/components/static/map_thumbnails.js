/** The samples' own pictures at their places, once so few points are on the screen that there is room for them. */

import { isBack } from "./map_colours.js";
import { drawPicture } from "./samples.js";

const MOST = 150;
const MOST_TO_STAY = 180;
const FADE_MS = 160;
const KEPT = 600;
const SIDE = 28;

/** Pictures of one run's samples on one map. */
export class MapThumbnails {
  constructor() {
    this.pictures = new Map();
    Object.assign(this, { positions: [], size: 0, shade: 0, since: null });
  }

  /** How far a picture reaches from its place in device pixels, 0 while there are none. */
  get reach() {
    return this.shade ? this.size / 2 : 0;
  }

  /**
   * Draw the pictures on the overlay; true while they come or go.
   *
   * `scene` has the `store`, the `index` of the points (a function), whether the view is `chosen` by the person, the `box` on
   * the screen in data coordinates, the `ratio`, the `colours` of the points, the `place` of a point in device pixels, who is
   * `hovered`, and whether pictures stand `still` instead of fading in.
   */
  draw(context, scene, now) {
    const { store } = scene;
    const found = store.thumbnails && store.sample?.thumbnails ? this.find(scene) : null;
    if (found) this.positions = found;
    const goal = found ? 1 : 0;
    const passed = scene.still ? FADE_MS : this.since === null ? 16 : Math.max(0, now - this.since);
    this.shade = Math.max(0, Math.min(1, this.shade + ((goal ? 1 : -1) * passed) / FADE_MS));
    this.since = this.shade === goal ? null : now;
    if (this.shade) this.lay(context, scene);
    return this.shade !== goal;
  }

  /** Positions of the samples whose pictures there is room for; null if there are too many. */
  find({ store, index, chosen, box }) {
    const { n } = store.sample;
    if (n <= MOST) return Array.from({ length: n }, (_, position) => position);
    return chosen ? index().within(box, this.shade ? MOST_TO_STAY : MOST) : null; // what is fitted shows all
  }

  lay(context, { store, ratio, colours, place, hovered }) {
    this.size = SIDE * ratio * (MOST / Math.max(this.positions.length, 12)) ** 0.3;
    const rank = (position) => (position === hovered ? 2 : isBack(colours, position) ? 0 : 1);
    for (const position of [...this.positions].sort((first, second) => rank(first) - rank(second))) {
      const [x, y] = place(position), side = this.size * (position === hovered ? 1.35 : 1);
      const picture = this.picture(store, position), high = (side * picture.height) / Math.max(picture.width, picture.height);
      const wide = (side * picture.width) / Math.max(picture.width, picture.height);
      context.globalAlpha = this.shade * (isBack(colours, position) ? 0.3 : 1);
      context.imageSmoothingEnabled = false;
      context.drawImage(picture, x - wide / 2, y - high / 2, wide, high);
      context.strokeStyle = `rgb(${colours.subarray(4 * position, 4 * position + 3).join()})`;
      context.lineWidth = 2 * ratio;
      context.strokeRect(x - wide / 2, y - high / 2, wide, high);
    }
    context.globalAlpha = 1;
  }

  picture(store, position) {
    let picture = this.pictures.get(position);
    if (!picture) {
      picture = document.createElement("canvas");
      drawPicture(picture, store, position);
      if (this.pictures.size >= KEPT) this.pictures.delete(this.pictures.keys().next().value);
      this.pictures.set(position, picture);
    }
    return picture;
  }
}
