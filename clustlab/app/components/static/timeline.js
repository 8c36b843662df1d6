/** The time line: play, scrub, follow. Moving it moves every panel of the page through the bus. */

import { PageLink, readSelection } from "./page_link.js";
import { keep, make, pretty, setText } from "./theme.js";
import { actOnKey, faster } from "./time_keys.js";

const LAY_MS = 400;
const MARKS_A_PERCENT = 4;
const NEAR_PIXELS = 3;
const MARKED = { target: "target distribution refreshed", checkpoint: "checkpoint" };

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host) => new Timeline(host));
}

class Timeline {
  constructor(host) {
    this.store = null;
    this.link = new PageLink(host);
    const button = (text, label, act, extra = {}) =>
      make("button", { type: "button", "aria-label": label, title: label, onclick: act, ...extra }, text);
    this.play = button("▶ play", "Play or pause (space)", () => this.toggle(), { class: "play" });
    this.back = button("◀", "Frame before (←)", () => this.step(-1));
    this.forth = button("▶", "Next frame (→)", () => this.step(1));
    this.speed = button("1×", "Speed", () => this.faster());
    this.slider = make("input", { type: "range", min: 0, max: 0, step: 1, "aria-label": "Frame", oninput: () => this.scrub(), onpointermove: (event) => this.point(event) });
    this.bands = make("div", { class: "bands" });
    this.marks = make("div", { class: "marks" });
    this.whereFrame = make("span");
    this.whereStep = make("span", { class: "step" });
    this.where = make("div", { class: "where cl-numbers", role: "status", "aria-live": "off" }, this.whereFrame, this.whereStep);
    this.liveText = make("span", {}, "live");
    this.live = button("", "Follow the newest frame (L)", () => this.follow(), { class: "live" });
    this.live.append(make("span", { class: "dot" }), this.liveText);
    const track = make("div", { class: "track" }, this.bands, this.slider, this.marks);
    host.append(make("div", { class: "row", "data-testid": "timeline", role: "group", "aria-label": "Time line" },
      this.play, this.back, this.forth, this.speed, track, this.where, this.live));
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
  }

  bind(store, { frame, select, autoplay, linked }) {
    if (store !== this.store) {
      this.store = store;
      this.start = { frame, select, autoplay };
      this.drawn = "";
    }
    this.linked = linked;
    if (linked) this.link.use(store);
    this.update("about");
  }

  update(kind) {
    if (this.linked && ["about", "records", "frame", "selection", "pair", "play"].includes(kind)) this.link.write();
    if (!this.store || ["points", "scalars", "sample", "selection", "pair", "beliefs", "term", "theme"].includes(kind)) return;
    this.begin();
    if (kind === "about") this.layOut();
    else if (kind === "records" || kind === "events") this.layOutSoon();
    this.render();
  }

  /** What a link or a lesson asked for, done once the frames are known. */
  begin() {
    const { start, store } = this;
    if (!start || !store.records.length || !store.status) return;
    this.start = null;
    if (Number.isInteger(start.frame)) {
      store.pause(); // it may have been playing for the place that was here before
      store.show(Math.min(start.frame, store.records.length - 1));
    }
    const wanted = readSelection(start.select ?? "", store.frame);
    if (wanted && store.selection.empty) store.selection.want(wanted);
    if (Number.isInteger(start.frame)) return;
    if (start.autoplay && !store.alive) {
      store.place(0);
      store.play();
    }
  }

  /** News of a live run come faster than anybody could see a mark move. */
  layOutSoon() {
    this.laying ||= setTimeout(() => {
      this.laying = 0;
      if (this.store) this.layOut();
    }, LAY_MS);
  }

  /** Phase bands and marks; done anew only when they differ. */
  layOut() {
    const { records, events, about } = this.store;
    const last = Math.max(records.length - 1, 1);
    const drawn = `${this.store.run} ${records.length} ${events.length} ${this.bands.clientWidth}`;
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const titles = Object.fromEntries((about?.phases ?? []).map(({ name, title }) => [name, title || name]));
    const starts = records.flatMap(({ phase }, at) => (at === 0 || records[at - 1].phase !== phase ? [at] : []));
    this.bands.replaceChildren(...starts.flatMap((start, at) => {
      const end = starts[at + 1] ?? last;
      const name = titles[records[start].phase] ?? records[start].phase;
      const left = (100 * start) / last, width = (100 * Math.max(end - start, 0)) / last;
      const border = make("div", { class: "border", title: name, style: `left:${left}%` });
      // the last phase, however short, is always named: it is the one that a person has come to see
      const place = at === starts.length - 1 && at > 0 && width < 25 ? `right:${100 - left}%;max-width:60%` : `left:${left}%;width:${width}%`;
      return [border, make("div", { class: place.startsWith("right") ? "band before" : "band", title: name, style: place }, make("span", {}, name))];
    }));
    this.makeRoom();
    const seen = new Set();
    this.marks.replaceChildren(...events.filter(({ kind }) => kind in MARKED).flatMap(({ kind, step }) => {
      const place = (100 * frameAt(records, step)) / last;
      const key = `${kind}${Math.round(place * MARKS_A_PERCENT)}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [make("div", { class: `mark ${kind}`, "data-kind": kind, style: `left:${place}%` })];
    }));
  }

  /** A name that stands before its phase takes room from the names of the phases there. */
  makeRoom() {
    const edge = this.bands.querySelector(".before")?.getBoundingClientRect().left ?? Infinity;
    for (const band of this.bands.querySelectorAll(".band:not(.before)")) {
      const { left, right } = band.getBoundingClientRect();
      if (right > edge) band.style.width = `${Math.max(edge - left - 4, 0)}px`;
    }
  }

  render() {
    const { store } = this;
    const count = store.records.length;
    this.slider.max = Math.max(count - 1, 0);
    this.slider.value = Math.max(store.frame, 0);
    this.slider.style.setProperty("--share", `${count > 1 ? (100 * Math.max(store.frame, 0)) / (count - 1) : 0}%`);
    for (const control of [this.slider, this.play, this.back, this.forth]) control.disabled = count < 2;
    setText(this.play, store.playing ? "❚❚ pause" : "▶ play");
    setText(this.speed, `${store.speed}×`);
    const record = store.record;
    const text = record ? `frame ${store.frame + 1}/${count} · step ${pretty(record.step)}` : "no frame yet";
    setText(this.whereFrame, record ? `frame ${store.frame + 1}/${count}` : text);
    setText(this.whereStep, record ? `step ${pretty(record.step)}` : "");
    this.slider.setAttribute("aria-valuetext", record ? `${text}, ${record.phase}` : text);
    this.live.setAttribute("aria-pressed", String(store.following && store.alive));
    setText(this.liveText, store.alive || !store.status ? "live" : "latest");
  }

  scrub() {
    this.store.pause();
    this.store.show(Number(this.slider.value));
  }

  /** Say what the marks under the pointer are: they let it through, so that the slider can be dragged there too. */
  point({ clientX }) {
    const near = [...this.marks.children].filter((mark) => {
      const { left, right } = mark.getBoundingClientRect();
      return left - NEAR_PIXELS <= clientX && clientX <= right + NEAR_PIXELS;
    });
    this.slider.title = [...new Set(near.map(({ dataset }) => MARKED[dataset.kind]))].join(", ");
  }

  step(by) {
    this.store.pause();
    this.store.show(this.store.frame + by);
  }

  toggle() {
    if (this.store.playing) this.store.pause();
    else this.store.play();
  }

  faster() {
    this.store.setSpeed(faster(this.store.speed));
  }

  follow() {
    this.store.follow();
  }

  press(event) {
    if (!this.store) return;
    const away = event.composedPath()[0] === document.body ? { Escape: () => this.store.selection.clear() } : {};
    actOnKey(event, this, away);
  }

  destroy() {
    this.link.close();
    clearTimeout(this.laying);
    document.removeEventListener("keydown", this.listener);
  }
}

/** Place of a step among the frames, a fraction where it lies between two. */
function frameAt(records, step) {
  let after = 0, beyond = records.length;
  while (after < beyond) {
    const middle = (after + beyond) >> 1;
    if (records[middle].step >= step) beyond = middle;
    else after = middle + 1;
  }
  if (after === 0) return 0;
  if (after === records.length) return records.length - 1;
  const [first, second] = [records[after - 1].step, records[after].step];
  return after - 1 + (step - first) / (second - first);
}
