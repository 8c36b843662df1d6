/** The head of a run: what it is, how it is doing, how long it will take, how good it is at the frame shown. */

import { keep, make, pretty, sentence, setText } from "./theme.js";

const WORDS = {
  queued: "queued", starting: "starting", running: "running", paused: "paused", stopped: "stopped", failed: "failed",
  finished: "finished", lost: "lost",
};
const SCORES = [["acc", "ACC"], ["nmi", "NMI"], ["ari", "ARI"]];
const SENTENCES = {
  queued: "It starts as soon as a place is free; this page can be closed meanwhile.",
  paused: "Training waits; nothing is lost, and it goes on where it stopped.",
  lost: "The worker is gone without a word; the run can be resumed from its last checkpoint.",
};

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host) => new Progress(host));
}

class Progress {
  constructor(host) {
    this.store = null;
    this.title = make("span", { class: "title" });
    this.word = make("span");
    this.state = make("span", { class: "state", role: "status" }, make("span", { class: "dot", "aria-hidden": "true" }), this.word);
    this.phase = make("span", { class: "cl-numbers" });
    this.time = make("span", { class: "cl-quiet cl-numbers" });
    this.done = make("div", { class: "done" });
    this.borders = make("div");
    this.bar = make("div", { class: "bar", role: "progressbar", "aria-label": "Progress of training", "aria-valuemin": 0, "aria-valuemax": 100 }, this.done, this.borders);
    this.scores = make("span", { class: "group" });
    this.others = make("span", { class: "group" });
    this.metrics = make("div", { class: "metrics cl-numbers" }, this.scores, this.others);
    this.observer = new MutationObserver(() => this.nameTab());
    this.observer.observe(document.head, { subtree: true, childList: true, characterData: true });
    this.notes = make("div", { class: "notes", hidden: true });
    this.alarmText = make("div");
    this.log = make("pre");
    this.details = make("details", { ontoggle: () => this.readLog() }, make("summary", {}, "Details: the last lines of the log"), this.log);
    this.alarm = make("div", { class: "alarm", hidden: true }, this.alarmText, this.details);
    host.append(make("div", { class: "progress", "data-testid": "progress" },
      make("div", { class: "head" }, this.title, this.state, this.phase, this.time, this.notes), this.bar, this.metrics, this.alarm));
  }

  bind(store) {
    if (store !== this.store) {
      this.store = store;
      this.details.open = false;
    }
    this.update("about");
  }

  update(kind) {
    if (!this.store || ["points", "selection", "beliefs", "term", "view", "play", "theme"].includes(kind)) return;
    const { status, title, error } = this.store;
    if (error) setText(this.alarmText, sentence(error));
    this.alarm.hidden = !error;
    this.details.hidden = Boolean(error);
    this.bar.hidden = this.state.hidden = !status;
    if (!status) return;
    setText(this.title, title);
    const phases = this.store.about?.phases ?? [];
    const notes = (this.store.about?.notes ?? []).join(" ");
    setText(this.notes, notes);
    this.notes.hidden = !notes;
    const state = status.state;
    this.tab = title ? `${tabState(status)} · ${title}` : "";
    this.nameTab();
    this.state.dataset.state = state;
    setText(this.word, this.store.connection === "offline" ? "connection lost, trying again…" : WORDS[state] ?? state);
    setText(this.phase, phaseText(status, phases));
    setText(this.time, timeText(status));
    this.renderBar(status, phases);
    this.renderMetrics();
    this.renderAlarm(status);
  }

  /** Name the browser's tab after the run; what Streamlit writes there at each rerun is kept for later. */
  nameTab() {
    if (!this.tab || document.title === this.tab) return;
    if (document.title !== this.named) this.otherTab = document.title;
    document.title = this.named = this.tab;
  }

  destroy() {
    this.observer.disconnect();
    if (this.otherTab) document.title = this.otherTab;
  }

  renderBar({ step = 0, total_steps: total, state }, phases) {
    this.bar.hidden = !total;
    if (!total) return;
    const share = state === "finished" ? 100 : Math.min(100, (100 * step) / total);
    this.done.style.width = `${share}%`;
    this.bar.setAttribute("aria-valuenow", Math.round(share));
    let sum = 0;
    const places = phases.slice(0, -1).map(({ steps }) => (100 * (sum += steps ?? 0)) / total).filter((place) => place > 0 && place < 100);
    if (places.join() === this.places) return;
    this.places = places.join();
    this.borders.replaceChildren(...places.map((place) => make("div", { class: "border", style: `left:${place}%` })));
  }

  /** Metrics of the frame shown; those that look at the classes say so. */
  renderMetrics() {
    const { record } = this.store;
    const all = { ...record?.values, ...record?.metrics };
    const scores = SCORES.flatMap(([name, label]) => (Number.isFinite(all[name]) ? [[label, all[name].toFixed(3)]] : []));
    if (scores.length) scores.unshift(["with labels", ""]);
    const others = [];
    if (Number.isFinite(all.silhouette)) others.push(["silhouette", all.silhouette.toFixed(3)]);
    if (Number.isFinite(all.label_change)) others.push(["labels changed", `${(100 * all.label_change).toFixed(all.label_change < 0.1 ? 2 : 1)} %`]);
    if (Number.isFinite(all.samples_per_second) && this.store.alive) others.push(["samples/s", pretty(Math.round(all.samples_per_second))]);
    if (others.length) others.unshift(["label-free", ""]);
    fill(this.scores, scores);
    fill(this.others, others);
    this.metrics.hidden = !scores.length && !others.length;
  }

  renderAlarm({ state, error, message }) {
    if (this.store.error) return;
    const failed = state === "failed" || state === "lost";
    const doing = state === "queued" || state === "starting" ? sentence(message) : "";
    const text = state === "failed" ? sentence(error || "The run failed") : `${doing} ${SENTENCES[state] ?? ""}`.trim();
    setText(this.alarmText, text);
    this.alarm.hidden = !text;
    this.alarm.dataset.tone = failed ? "alarm" : "calm";
    this.details.hidden = !failed;
  }

  async readLog() {
    if (!this.details.open) return;
    setText(this.log, "…");
    const answer = await fetch(this.store.address("log")).catch(() => null);
    setText(this.log, answer?.ok ? (await answer.json()).log || "The log is empty." : "The log could not be read.");
  }
}

function fill(element, entries) {
  if (element.dataset.names !== entries.map(([label]) => label).join()) {
    element.dataset.names = entries.map(([label]) => label).join();
    element.replaceChildren(...entries.map(([label, value]) =>
      make("span", { class: value ? "metric" : "cl-quiet" }, label, ...(value ? [make("b")] : []))));
  }
  entries.forEach(([, value], at) => {
    const place = element.children[at].querySelector("b");
    if (place) setText(place, value);
  });
}

function phaseText({ state, phase, phase_step: step, phase_steps: steps, message }, phases) {
  if (state === "finished" || !phase) return state === "running" ? message ?? "" : "";
  const name = phases.find((entry) => entry.name === phase)?.title || phase;
  return steps ? `${name} · step ${pretty(step)} / ${pretty(steps)}` : name;
}

/** The state in a word or two, for the tab of the browser. */
function tabState({ state, step, total_steps: total }) {
  const share = total && step ? `${Math.floor((100 * step) / total)} %` : WORDS[state] ?? state;
  return state === "running" ? share : WORDS[state] ?? state;
}

/** Time left, from the time that the steps so far have taken; phases may stop early, hence “at most”. */
function timeText({ state, step, total_steps: total, wall_s: wall }) {
  if (["finished", "stopped", "failed"].includes(state)) return wall ? `took ${duration(wall)}` : "";
  if (state !== "running" || !wall || !step || !total || wall < 1) return "";
  return `up to ${duration(((total - step) * wall) / step)} left`;
}

function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  if (hours) return `${hours}:${two(minutes)}:${two(rest)} h`;
  return minutes ? `${minutes}:${two(rest)} min` : `${rest} s`;
}
