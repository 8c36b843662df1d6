/** Which points the map shows: a projection that has been on it stays, whatever frame one goes to. */

export class MapPicture {
  constructor(store) {
    this.store = store;
    this.met = new Set();
    this.shown = { projection: null, points: null };
  }

  /** PCA stands in until the chosen projection has been on the map. */
  get standIn() {
    const { projection, projections } = this.store;
    const offered = projection !== "pca" && projections.some(({ name }) => name === "pca");
    return offered && !this.met.has(projection) ? "pca" : null;
  }

  /** What to draw: `{projection, points}`, of another frame while those of the frame shown are on their way. */
  take() {
    const { projection, frame } = this.store;
    if (!projection) return this.shown;
    const own = this.store.pointsIn(projection);
    const other = this.standIn && this.store.pointsIn(this.standIn).frames.get(frame);
    if (own.frames.has(frame)) {
      this.met.add(projection);
      this.shown = { projection, points: own.frames.get(frame) };
    } else if (other) this.shown = { projection: this.standIn, points: other };
    else if (this.met.has(projection) && this.shown.projection !== projection) this.shown = { projection, points: own.nearest(frame) };
    return this.shown;
  }
}
