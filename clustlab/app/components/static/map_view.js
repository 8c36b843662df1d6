/** Where the map looks: a centre and a scale in device pixels a unit, moved by the person or fitted to the data. */

const MARGIN = 0.06;
const EASE_MS = 250;

/** View of one map; each projection keeps its own. */
export class MapView {
  constructor() {
    this.views = new Map();
    this.name = "";
  }

  /** Change to a projection; a view chosen there earlier is found again. */
  use(name) {
    this.name = name;
    if (!this.views.has(name)) this.views.set(name, { x: 0, y: 0, scale: 0, chosen: false, goal: null });
  }

  get current() {
    return this.views.get(this.name);
  }

  get chosen() {
    return Boolean(this.current?.chosen);
  }

  /** Fit to a range of the data, gently unless it is the first time; a view chosen by the person stays. */
  fit(range, width, height, now, force = false) {
    const view = this.current;
    if (!view || !range || (view.chosen && !force)) return;
    const wide = Math.max(range.right - range.left, 1e-6), high = Math.max(range.top - range.bottom, 1e-6);
    const goal = {
      x: (range.left + range.right) / 2,
      y: (range.bottom + range.top) / 2,
      scale: Math.min((width * (1 - 2 * MARGIN)) / wide, (height * (1 - 2 * MARGIN)) / high),
    };
    if (force) view.chosen = false;
    if (!view.scale) Object.assign(view, goal);
    else if (Math.abs(goal.scale - view.scale) + Math.abs(goal.x - view.x) + Math.abs(goal.y - view.y) > 1e-9) {
      const same = view.goal && view.goal.scale === goal.scale && view.goal.x === goal.x && view.goal.y === goal.y;
      if (!same) view.goal = { ...goal, from: { x: view.x, y: view.y, scale: view.scale }, since: now };
    }
  }

  /** Go on towards the goal; true while there is a way to go. */
  advance(now, still) {
    const view = this.current;
    if (!view?.goal) return false;
    const share = still ? 1 : Math.min(1, (now - view.goal.since) / EASE_MS);
    const eased = share * share * (3 - 2 * share);
    for (const part of ["x", "y", "scale"]) view[part] = view.goal.from[part] + (view.goal[part] - view.goal.from[part]) * eased;
    if (share >= 1) view.goal = null;
    return share < 1;
  }

  /** Zoom by a factor, keeping what is at a place (device pixels from the middle, y upwards) where it is. */
  zoom(factor, dx, dy) {
    const view = this.choose();
    const scale = view.scale * factor;
    view.x += dx / view.scale - dx / scale;
    view.y += dy / view.scale - dy / scale;
    view.scale = scale;
  }

  pan(dx, dy) {
    const view = this.choose();
    view.x -= dx / view.scale;
    view.y -= dy / view.scale;
  }

  choose() {
    const view = this.current;
    view.chosen = true;
    view.goal = null;
    return view;
  }
}
