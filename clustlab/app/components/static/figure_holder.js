/** One plotly figure, updated in place: it keeps its last drawing until the next one is there. */

import { emphasis, isMark, marks, wantedBy } from "./figure_selection.js";
import { tableOf } from "./figure_table.js";
import { csv, download, saveRow } from "./saving.js";
import { keep, make, sentence, setText, themeOf } from "./theme.js";

const CONFIG = {
  responsive: true, displaylogo: false, scrollZoom: false, showSendToCloud: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"], // keys reach the buttons below it instead
};

let library = null;

/** Plotly: as it is there in a replay, else loaded once a page from our own route. */
function plotly() {
  library ??= window.Plotly ? Promise.resolve(window.Plotly) : new Promise((resolve, reject) => {
    const script = make("script", { src: new URL("./plotly.min.js", import.meta.url).href });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      library = null;
      reject(new Error("The drawing library could not be loaded."));
    };
    document.head.append(script);
  });
  return library;
}

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host) => new FigureHolder(host));
}

export class FigureHolder {
  constructor(host) {
    Object.assign(this, { host, store: null, busy: false, stale: false, answered: false, drawn: "", figure: null, seen: true });
    this.plot = make("div", { class: "cl-plot" });
    this.sentence = make("div", { class: "cl-sentence", role: "status" });
    this.saves = saveRow("the figure", { PNG: () => this.saveImage("png"), SVG: () => this.saveImage("svg"), CSV: () => this.saveTable() });
    this.saves.hidden = true;
    this.root = make("div", { class: "cl-figure" }, this.plot, this.sentence, this.saves);
    host.append(this.root);
    // a figure in a closed tab is not asked for until somebody looks at it
    this.observer = new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting;
      if (this.seen) this.request();
    }, { rootMargin: "300px" });
    this.observer.observe(this.root);
  }

  bind(store, { panel, options, takes = [] }) {
    if (store !== this.store || panel !== this.panel) {
      this.drawn = "";
      this.answered = false;
      delete this.root.dataset.frame;
      this.plot.classList.add("cl-stale"); // another panel's drawing, until its own is there
    }
    if (store !== this.store) {
      this.figure = null; // what another run has left must not pass for this one's
      this.say("Waiting for the first frame…");
    }
    Object.assign(this, { store, panel, takes, options: options ?? {} });
    this.root.dataset.testid = `figure-${panel}`;
    this.plot.dataset.name = `${store.run}-${panel}`;
    this.update("frame");
  }

  update(kind) {
    if (!this.store) return;
    if (this.store.error && !this.figure) this.say(this.store.error);
    else if (!this.figure && this.store.status && !this.store.alive && !this.store.records.length) this.say("This run has recorded no frame");
    if (kind === "term") this.highlight();
    if (kind === "selection" || kind === "pair") this.emphasise();
    if (kind === "theme" && this.figure) this.draw(this.figure, this.frame);
    const mapped = this.takes.includes("projection") && ["points", "view"].includes(kind);
    if (mapped || ["frame", "selection", "pair", "about", "connection", "records"].includes(kind)) this.request();
  }

  get address() {
    const { frame, selected, pair, picture } = this.store;
    const asked = new URLSearchParams({ ...this.options, frame });
    if (selected !== null) asked.set("selected", selected);
    if (pair && this.takes.includes("other")) asked.set("other", pair[1]);
    if (this.takes.includes("projection")) {
      const { projection, points } = picture.take();
      if (points?.frame === frame) asked.set("projection", projection); // of another frame the server takes what there is
    }
    return this.store.address(`figures/${encodeURIComponent(this.panel)}?${asked}`);
  }

  /** Ask for the figure of the frame shown: one request at a time, the newest wish wins. */
  async request() {
    if (!this.store || this.store.frame < 0 || !this.seen) return;
    const { address, store, panel } = this, { frame } = store;
    if (address === this.drawn) return;
    if (this.busy) {
      this.stale = true;
      return;
    }
    this.busy = true;
    if (!this.figure && !this.answered) this.say("Drawing…"); // a sentence that is there stays until it changes
    try {
      const [answer] = await Promise.all([fetch(address), plotly()]);
      const content = await answer.json();
      this.drawn = store === this.store && panel === this.panel ? address : "";
      if (!this.drawn) this.stale = true; // another run or panel was chosen meanwhile
      else if (answer.ok && !content.unavailable) await this.draw(content, frame);
      else {
        this.answered = true;
        this.say(content.unavailable ?? content.error);
      }
    } catch (error) {
      if (!this.figure) this.say(error.message);
    } finally {
      this.busy = false;
    }
    if (this.stale) {
      this.stale = false;
      this.request();
    }
  }

  say(text) {
    this.plot.style.display = "none";
    this.saves.hidden = true;
    this.sentence.hidden = false;
    setText(this.sentence, sentence(text));
    this.root.dataset.state = "sentence";
  }

  async draw(figure, frame) {
    Object.assign(this, { figure, frame });
    this.plot.style.display = "";
    this.sentence.hidden = true;
    this.saves.hidden = false;
    this.plot.classList.remove("cl-stale");
    keepSlider(figure, this.panel === this.drawnPanel ? this.plot.layout?.sliders?.[0]?.active : undefined);
    this.drawnPanel = this.panel;
    emphasis(this.figureAt, this.store.selection, themeOf(this.host).text).forEach((looks, at) => Object.assign(figure.data[at], looks));
    const layout = { ...themed(figure.layout ?? {}, themeOf(this.host), this.panel), shapes: this.shapes };
    await window.Plotly.react(this.plot, figure.data, layout, CONFIG);
    Object.assign(this.root.dataset, { state: "drawn", frame, draws: Number(this.root.dataset.draws ?? 0) + 1 });
    if (this.store.term) this.highlight();
    if (this.listening) return;
    this.listening = true;
    this.plot.on("plotly_click", ({ points }) => {
      const wanted = points[0] && wantedBy(points[0], this.figure.data[points[0].curveNumber ?? 0], this.frame); // a band has none
      if (wanted) this.store.selection.want(wanted);
    });
  }

  /** Put forward what is selected, in the figure that is there; one that is on its way brings it itself. */
  emphasise() {
    if (this.root.dataset.state !== "drawn" || this.address !== this.drawn) return;
    const { data } = this.figure;
    const looks = emphasis(this.figureAt, this.store.selection, themeOf(this.host).text);
    const traces = data.flatMap((trace, at) => (differs(trace, looks[at]) ? [at] : []));
    if (traces.some((at) => data[at].type === "sankey")) {
      this.draw(this.figure, this.frame); // plotly restyles its parts only together
      return;
    }
    const { shapes } = this;
    if ([...shapes, ...(this.plot.layout.shapes ?? [])].some(isMark)) window.Plotly.relayout(this.plot, { shapes });
    if (!traces.length) return;
    const column = (name) => traces.map((at) => looks[at][name]);
    window.Plotly.restyle(this.plot, { selectedpoints: column("selectedpoints"), selected: column("selected") }, traces);
  }

  /** The traces that are there, and the frame they were drawn for. */
  get figureAt() {
    return { data: this.figure.data, frame: this.frame };
  }

  /** What is drawn over and under the figure: its own shapes, and what makes the selection stand out. */
  get shapes() {
    return [...(this.figure.layout?.shapes ?? []), ...marks(this.figureAt, this.store.selection, themeOf(this.host))];
  }

  /** Put back every curve but that of the term pointed at. */
  highlight() {
    if (this.panel !== "curves" || this.root.dataset.state !== "drawn") return;
    const { term } = this.store;
    const known = this.figure.data.some(({ meta }) => meta === term);
    window.Plotly.restyle(this.plot, { opacity: this.figure.data.map(({ meta }) => (!known || meta === term ? 1 : 0.15)) });
  }

  get file() {
    return `${this.plot.dataset.name}-frame-${this.frame}`;
  }

  /** Save the figure as it is seen, on the ground of the page; a PNG has twice as many pixels each way. */
  saveImage(format) {
    const { data, layout, offsetWidth: width, offsetHeight: height } = this.plot;
    const grounded = { ...layout, paper_bgcolor: themeOf(this.host).ground, width, height };
    return window.Plotly.downloadImage({ data, layout: grounded }, { format, filename: this.file, width, height, scale: format === "png" ? 2 : 1 });
  }

  saveTable() {
    download(csv(tableOf(this.figure.data)), `${this.file}.csv`);
  }

  destroy() {
    this.observer.disconnect();
    if (window.Plotly) window.Plotly.purge(this.plot);
  }
}

/** Whether a trace does not look as it should. */
function differs(trace, looks) {
  return Object.entries(looks).some(([name, value]) => JSON.stringify(trace[name] ?? null) !== JSON.stringify(value));
}

/** Leave a slider of the next figure where the person has put it, and show what belongs there. */
function keepSlider({ data, layout }, active) {
  const slider = layout?.sliders?.[0];
  const visible = slider?.steps[active]?.args?.[0]?.visible;
  if (!visible || visible.length !== data.length) return;
  slider.active = active;
  data.forEach((trace, at) => Object.assign(trace, { visible: visible[at] }));
}

/** A layout in the page's colours; what the figure chose otherwise stays. */
function themed(layout, theme, panel) {
  const clear = "rgba(0,0,0,0)";
  const found = {
    ...layout, autosize: true, paper_bgcolor: clear, plot_bgcolor: clear, uirevision: panel,
    font: { size: 14, ...layout.font, color: theme.text, family: theme.font },
    hoverlabel: { ...layout.hoverlabel, bgcolor: theme.panel, bordercolor: theme.line, font: { color: theme.text, family: theme.font, size: 14 } },
    modebar: { bgcolor: clear, color: theme.line, activecolor: theme.text, ...layout.modebar },
  };
  delete found.width;
  for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))])) {
    found[name] = { ...layout[name], gridcolor: theme.line, linecolor: theme.line, zerolinecolor: theme.line, tickcolor: theme.line };
  }
  return found;
}
