/** The time line of several runs: each shows its frame nearest to one moment, by step or by share of the run. */

import { LETTERS, SIDE_BY_SIDE } from "./comparison.js";
import { keep, make, pretty, setText } from "./theme.js";
import { actOnKey, faster } from "./time_keys.js";

const PARTS = 1000;

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host) => new CompareTimeline(host), SIDE_BY_SIDE);
}

class CompareTimeline {
  constructor(host) {
    const button = (text, label, act, extra = {}) =>
      make("button", { type: "button", "aria-label": label, title: label, onclick: act, ...extra }, text);
    this.play = button("▶ play", "Play or pause (space)", () => this.toggle(), { class: "play" });
    this.back = button("◀", "Moment before (←)", () => this.step(-1));
    this.forth = button("▶", "Next moment (→)", () => this.step(1));
    this.speed = button("1×", "Speed", () => this.faster());
    this.slider = make("input", { type: "range", min: 0, max: PARTS, step: 1, "aria-label": "Moment", oninput: () => this.scrub() });
    this.bands = make("div", { class: "bands", "aria-hidden": "true" });
    this.where = make("div", { class: "where cl-numbers", role: "status", "aria-live": "off" });
    this.byShare = button("share of the run", "Compare the runs at the same share of each", () => this.comparison.setShare(true));
    this.bySteps = button("step", "Compare the runs at the same training step", () => this.comparison.setShare(false));
    this.kind = make("span", { class: "cl-segments", role: "group", "aria-label": "Time by" }, this.byShare, this.bySteps);
    this.live = button("live", "Follow the newest frames (L)", () => this.follow(), { class: "live" });
    host.append(make("div", { class: "row", "data-testid": "compare-timeline", role: "group", "aria-label": "Time line of all runs" },
      this.play, this.back, this.forth, this.speed, make("div", { class: "track" }, this.bands, this.slider), this.where, this.kind, this.live));
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
  }

  bind(comparison) {
    if (comparison !== this.comparison) this.drawn = "";
    this.comparison = comparison;
    this.update("about");
  }

  update(kind) {
    if (!this.comparison || ["sample", "selection", "matching", "theme"].includes(kind)) return;
    if (["about", "records", "view"].includes(kind)) this.layOut();
    this.render();
  }

  /** One thin band a run, with its phases. */
  layOut() {
    const { stores, share, longest, ends } = this.comparison;
    const drawn = JSON.stringify([share, stores.map(({ run, records, about }) => [run, records.length, about?.phases?.length])]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.bands.replaceChildren(...stores.map(({ records, about }, at) => {
      const end = share ? ends[at] : longest;
      const titles = Object.fromEntries((about?.phases ?? []).map(({ name, title }) => [name, title || name]));
      const starts = records.flatMap((record, number) => (number === 0 || records[number - 1].phase !== record.phase ? [record] : []));
      const phases = starts.map((record, number) => {
        const left = (100 * record.step) / end, right = (100 * (starts[number + 1]?.step ?? ends[at])) / end;
        const name = titles[record.phase] ?? record.phase;
        return make("div", { class: number % 2 ? "phase odd" : "phase", title: `${LETTERS[at]}: ${name}`, style: `left:${left}%;width:${Math.max(right - left, 0.4)}%` });
      });
      return make("div", { class: "band" }, make("span", { class: "letter" }, LETTERS[at]), make("div", { class: "phases" }, ...phases));
    }));
  }

  render() {
    const { comparison } = this, { place, share, longest, known } = comparison;
    this.slider.value = Math.round(PARTS * place);
    this.slider.style.setProperty("--share", `${100 * place}%`);
    for (const control of [this.slider, this.play, this.back, this.forth]) control.disabled = !known;
    setText(this.play, comparison.playing ? "❚❚ pause" : "▶ play");
    setText(this.speed, `${comparison.speed}×`);
    const moment = share ? `${Math.round(100 * place)} % of each run` : `step ${pretty(Math.round(place * longest))}`;
    const text = comparison.following && comparison.alive ? "newest frame of each run" : moment;
    setText(this.where, text);
    this.slider.setAttribute("aria-valuetext", text);
    this.byShare.setAttribute("aria-pressed", String(share));
    this.bySteps.setAttribute("aria-pressed", String(!share));
    this.live.hidden = !comparison.alive;
    this.live.setAttribute("aria-pressed", String(comparison.following));
  }

  scrub() {
    this.comparison.pause();
    this.comparison.show(Number(this.slider.value) / PARTS);
  }

  step(by) {
    this.comparison.pause();
    this.comparison.step(by);
  }

  toggle() {
    if (this.comparison.playing) this.comparison.pause();
    else this.comparison.play();
  }

  faster() {
    this.comparison.setSpeed(faster(this.comparison.speed));
  }

  follow() {
    this.comparison.follow();
  }

  press(event) {
    if (!this.comparison?.known) return;
    actOnKey(event, this);
  }

  destroy() {
    document.removeEventListener("keydown", this.listener);
  }
}
