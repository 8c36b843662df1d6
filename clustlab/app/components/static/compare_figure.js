/** A figure of several runs, updated in place at the moment that all of them show. */

import { SIDE_BY_SIDE } from "./comparison.js";
import { FigureHolder } from "./figure_holder.js";
import { keep } from "./theme.js";

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host) => new ComparedFigure(host), SIDE_BY_SIDE);
}

class ComparedFigure extends FigureHolder {
  get address() {
    const { frames, place, share } = this.store;
    return this.store.address(`figures/${encodeURIComponent(this.panel)}`, { frames: frames.join(), place: place.toFixed(4), share });
  }

  update(kind) {
    super.update(kind === "view" || kind === "matching" ? "frame" : kind);
  }
}
