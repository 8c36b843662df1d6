/** Where the points of a frame are: a grid of cells, so that a question about a place looks at a few points, not at all. */

const POINTS_A_CELL = 4;
const MOST_CELLS_A_SIDE = 512;

/** Index of points that are given as pairs of coordinates; points that are nowhere (not a number) are never found. */
export class PointIndex {
  /** @param {Float32Array} xy two numbers a point */
  constructor(xy) {
    this.xy = xy;
    this.n = xy.length / 2;
    this.measure();
    this.sort();
  }

  measure() {
    let left = Infinity, right = -Infinity, bottom = Infinity, top = -Infinity;
    for (let at = 0; at < this.xy.length; at += 2) {
      const x = this.xy[at], y = this.xy[at + 1];
      if (!this.placed(at / 2)) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < bottom) bottom = y;
      if (y > top) top = y;
    }
    const some = left <= right;
    this.side = Math.max(1, Math.min(MOST_CELLS_A_SIDE, Math.ceil(Math.sqrt(this.n / POINTS_A_CELL))));
    Object.assign(this, { left: some ? left : 0, bottom: some ? bottom : 0 });
    this.wide = Math.max(some ? right - left : 0, 1e-9) / this.side;
    this.high = Math.max(some ? top - bottom : 0, 1e-9) / this.side;
  }

  /** Whether a point is anywhere. */
  placed(position) {
    return Number.isFinite(this.xy[2 * position]) && Number.isFinite(this.xy[2 * position + 1]);
  }

  /** Put the positions of each cell one after another: `order` between `starts[cell]` and `starts[cell + 1]`. */
  sort() {
    const cells = new Int32Array(this.n).fill(-1);
    this.starts = new Int32Array(this.side * this.side + 1);
    for (let at = 0; at < this.n; at += 1) {
      if (!this.placed(at)) continue;
      cells[at] = this.row(this.xy[2 * at + 1]) * this.side + this.column(this.xy[2 * at]);
      this.starts[cells[at] + 1] += 1;
    }
    for (let cell = 0; cell < this.starts.length - 1; cell += 1) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice();
    this.order = new Int32Array(this.n);
    for (let at = 0; at < this.n; at += 1) {
      if (cells[at] < 0) continue;
      this.order[next[cells[at]]] = at;
      next[cells[at]] += 1;
    }
  }

  column(x) {
    return Math.max(0, Math.min(this.side - 1, Math.floor((x - this.left) / this.wide)));
  }

  row(y) {
    return Math.max(0, Math.min(this.side - 1, Math.floor((y - this.bottom) / this.high)));
  }

  /** Call `visit` with the points of all cells that a box touches, and with some around it, until it returns true. */
  around({ left, right, bottom, top }, visit) {
    const first = this.column(left), last = this.column(right);
    for (let row = this.row(bottom); row <= this.row(top); row += 1) {
      // the cells of a row lie one after another
      const end = this.starts[row * this.side + last + 1];
      for (let at = this.starts[row * this.side + first]; at < end; at += 1) if (visit(this.order[at])) return;
    }
  }

  /** The point nearest to a place and not farther away than `reach`; null if there is none. */
  nearest(x, y, reach) {
    let best = reach ** 2, found = null;
    this.around({ left: x - reach, right: x + reach, bottom: y - reach, top: y + reach }, (position) => {
      const away = (this.xy[2 * position] - x) ** 2 + (this.xy[2 * position + 1] - y) ** 2;
      if (away < best) [best, found] = [away, position];
    });
    return found;
  }

  /** Points in a box, null if they are more than `most`. */
  within(box, most) {
    const found = [];
    this.around(box, (position) => {
      const x = this.xy[2 * position], y = this.xy[2 * position + 1];
      if (x >= box.left && x <= box.right && y >= box.bottom && y <= box.top) found.push(position);
      return found.length > most;
    });
    return found.length > most ? null : found;
  }

  /** Points inside an outline, a list of `[x, y]` that closes itself. */
  inside(outline) {
    const xs = Float64Array.from(outline, ([x]) => x), ys = Float64Array.from(outline, ([, y]) => y);
    const box = { left: Math.min(...xs), right: Math.max(...xs), bottom: Math.min(...ys), top: Math.max(...ys) };
    return this.within(box, this.n).filter((position) => encloses(xs, ys, this.xy[2 * position], this.xy[2 * position + 1]));
  }

  /** The next point to go to from a point in a direction; null where there is nothing that way. */
  towards(from, dx, dy) {
    const x = this.xy[2 * from], y = this.xy[2 * from + 1];
    let best = Infinity, found = null;
    for (let at = 0; at < this.n; at += 1) {
      const along = (this.xy[2 * at] - x) * dx + (this.xy[2 * at + 1] - y) * dy;
      const aside = Math.abs((this.xy[2 * at] - x) * dy - (this.xy[2 * at + 1] - y) * dx);
      if (along > 0 && aside <= along && along + aside < best) [best, found] = [along + aside, at];
    }
    return found;
  }
}

/** Whether a place is inside an outline: a ray from it crosses the outline an odd number of times. */
function encloses(xs, ys, x, y) {
  let inside = false;
  for (let at = 0, before = xs.length - 1; at < xs.length; before = at, at += 1) {
    const crosses = ys[at] > y !== ys[before] > y;
    if (crosses && x < ((xs[before] - xs[at]) * (y - ys[at])) / (ys[before] - ys[at]) + xs[at]) inside = !inside;
  }
  return inside;
}
