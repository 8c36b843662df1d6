/** A replay: the laboratory's own components, in one file that answers them from what it carries. */

import { openStore } from "./bus.js";
import { mount as mountEquation } from "./equation.js";
import { mount as mountFigure } from "./figure_holder.js";
import { mount as mountMap } from "./latent_canvas.js";
import { mount as mountProgress } from "./progress.js";
import { Archive } from "./replay_archive.js";
import { mount as mountBeliefs } from "./replay_beliefs.js";
import { make, setText } from "./theme.js";
import { mount as mountTimeline } from "./timeline.js";

const OWN = {
  name: "p-and-q", title: "P and Q", question: "Which centroid does each sample believe in?",
  aid: "Outlined: what the model believes (q). Filled: what it is told to believe (p).",
};

/**
 * Open the replay in the page.
 *
 * @param {{bytes: Function, text: Function, addressOf: Function, styles: Object<string, string>}} file unpacks its
 *   pieces, and the style sheets of the components
 */
export async function open(file) {
  const manifest = JSON.parse(await file.text("manifest"));
  const archive = new Archive(manifest, file.bytes);
  await archive.prepare();
  archive.standIn();
  const page = new Replay(archive, file.styles);
  document.querySelector("header").replaceChildren(page.head);
  document.getElementById("replay").replaceChildren(page.stage, page.time);
  page.fill();
  if (manifest.panels.length) await load(file);
  page.explain();
  document.documentElement.dataset.state = "open";
}

/** Load the drawing library, which the figures need. */
async function load(file) {
  const address = file.addressOf(await file.text("plotly"));
  await new Promise((resolve, reject) => {
    document.head.append(make("script", { src: address, onload: resolve, onerror: reject }));
  });
}

class Replay {
  constructor(archive, styles) {
    Object.assign(this, { archive, styles, run: archive.manifest.run, chosen: "" });
    this.dark = matchMedia("(prefers-color-scheme: dark)").matches;
    this.theme = make("button", { type: "button", class: "theme", onclick: () => this.turn() });
    this.head = make("div", { class: "head" }, this.shadow("progress", mountProgress), this.theme);
    this.explanation = make("section", { class: "explanation" });
    this.left = make("section", {}, make("h2", {}, "Where do the samples live?"));
    this.right = make("section", {}, make("h2", {}, "What is being minimised?"));
    this.stage = make("div", { class: "stage" }, this.left, this.right);
    this.time = make("div", { class: "time" });
    this.show();
  }

  /** Put the components into their places, once these are on the page. */
  fill() {
    this.left.append(this.shadow("latent_canvas", mountMap));
    this.right.append(this.shadow("equation", mountEquation), this.explanation);
    this.time.append(this.shadow("timeline", mountTimeline));
    this.mountAll();
  }

  /** A place of a component with its own styles, as Streamlit would make it. */
  shadow(name, mount, more = {}) {
    const place = make("div", { class: `component ${name}` });
    const root = place.attachShadow({ mode: "open" });
    root.append(make("style", {}, `${this.styles.base}\n${this.styles[name] ?? ""}`));
    this.mounts ??= [];
    this.mounts.push(() => mount({ parentElement: root, data: { run: this.run, ...more } }, this.archive));
    return place;
  }

  mountAll() {
    for (const mount of this.mounts.splice(0)) mount();
  }

  /** The row of explanations, and the one that is chosen. */
  explain() {
    const { panels, beliefs } = this.archive.manifest;
    this.panels = [...(beliefs.q ? [OWN] : []), ...panels];
    if (!this.panels.length) return;
    this.tabs = make("div", { class: "tabs", role: "group", "aria-label": "Explanation" }, ...this.panels.map(({ name, title }) =>
      make("button", { type: "button", "data-name": name, onclick: () => this.choose(name) }, title)));
    this.question = make("h2");
    this.aid = make("p", { class: "aid" });
    this.own = beliefs.q ? this.shadow("replay_beliefs", mountBeliefs) : make("div");
    this.figure = make("div", { class: "figure" });
    this.moment = make("p", { class: "aid moment", role: "status", "aria-live": "off" });
    this.explanation.replaceChildren(this.tabs, this.question, this.aid, this.own, this.figure, this.moment);
    document.head.append(make("style", {}, this.styles.figure_holder));
    this.mountAll();
    this.store = openStore(this.run);
    this.store.subscribe((kind) => {
      if (kind === "frame") this.say();
    });
    this.choose(this.panels[0].name);
  }

  choose(name) {
    this.chosen = name;
    const panel = this.panels.find((each) => each.name === name), own = panel === OWN;
    for (const button of this.tabs.children) button.setAttribute("aria-pressed", String(button.dataset.name === name));
    setText(this.question, panel.question);
    setText(this.aid, panel.aid);
    this.own.hidden = !own;
    this.figure.hidden = own;
    if (!own) mountFigure({ parentElement: this.figure, data: { run: this.run, panel: name, options: {} } });
    this.say();
  }

  /** Which moment a figure shows that is not drawn at all of them. */
  say() {
    const panel = this.archive.panel(this.chosen), { frame } = this.store;
    const { records } = this.archive.manifest.about;
    const at = panel && !panel.cursor.length && panel.there.includes(frame) ? this.archive.drawnFor(panel, frame) : frame;
    const text = at === frame ? "" : `This figure shows frame ${at + 1}, step ${records[at].step}: the nearest of ${panel.drawn.length} at which it was drawn.`;
    setText(this.moment, text);
  }

  turn() {
    this.dark = !this.dark;
    this.show();
  }

  show() {
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
    setText(this.theme, this.dark ? "light" : "dark");
    this.theme.setAttribute("aria-label", `Turn the page ${this.dark ? "light" : "dark"}`);
  }
}
