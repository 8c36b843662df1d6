/** The head of one of several runs: its letter and line, what it is, and how good it is at the frame shown. */

import { LETTERS, LINES } from "./comparison.js";
import { keep, make, pretty, setText } from "./theme.js";

const SCORES = [["acc", "ACC"], ["nmi", "NMI"], ["ari", "ARI"], ["silhouette", "silhouette"]];

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host) => new ComparedHead(host));
}

class ComparedHead {
  constructor(host) {
    this.letter = make("span", { class: "letter" });
    this.line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.line.setAttribute("class", "line");
    this.line.setAttribute("viewBox", "0 0 40 6");
    this.line.setAttribute("aria-hidden", "true");
    this.stroke = document.createElementNS("http://www.w3.org/2000/svg", "path");
    this.stroke.setAttribute("d", "M0 3H40");
    this.line.append(this.stroke);
    this.title = make("a", { class: "title", target: "_self" });
    this.state = make("span", { class: "state cl-quiet", hidden: true });
    this.moment = make("div", { class: "moment cl-quiet cl-numbers" });
    this.scores = make("div", { class: "scores cl-numbers" });
    host.append(make("div", { class: "head", "data-testid": "compare-head" },
      make("div", { class: "first" }, this.letter, this.line, this.title, this.state), this.moment, this.scores));
  }

  bind(store, { at }) {
    const [colour, dash] = LINES[at];
    Object.assign(this, { store });
    setText(this.letter, LETTERS[at]);
    this.stroke.setAttribute("style", `stroke:${colour};stroke-width:3;stroke-dasharray:${dash || "none"}`);
    this.title.href = new URL(`./?run=${encodeURIComponent(store.run)}`, document.baseURI).href;
    this.update("about");
  }

  update(kind) {
    if (!this.store || ["points", "view", "selection", "pair", "beliefs"].includes(kind)) return;
    const { store } = this, { record, status } = store;
    setText(this.title, store.title || store.run);
    this.title.title = `${store.title}: open ${store.run} in the laboratory`;
    this.state.hidden = !status || status.state === "finished";
    setText(this.state, status?.state ?? "");
    const phases = store.about?.phases ?? [];
    const phase = record ? phases.find(({ name }) => name === record.phase)?.title || record.phase : "";
    setText(this.moment, store.error || (record ? `${phase} · step ${pretty(record.step)} · frame ${store.frame + 1}/${store.records.length}` : "no frame yet"));
    const all = { ...record?.values, ...record?.metrics };
    const found = SCORES.filter(([name]) => Number.isFinite(all[name]));
    this.scores.replaceChildren(...found.map(([name, label]) => make("span", {}, `${label} `, make("b", {}, all[name].toFixed(3)))));
  }
}
