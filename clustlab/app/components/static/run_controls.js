/**
 * Pause, resume, stop, fork: what can be done with the run on the page, by the state it is in. A press is a request of
 * its own and changes the button at once; the state that follows is pushed, so that no rerun takes a button away.
 */

import { atRest, keep, make, sentence, setText } from "./theme.js";

const PATIENCE_MS = 15000;
const REST_MS = 100;
const ACTS = [
  ["pause", "Pause", "pausing…", "M4 2h3v12H4zM9 2h3v12H9z"],
  ["resume", "Resume", "resuming…", "M4 2l9 6-9 6z"],
  ["stop", "Stop", "stopping…", "M3 3h10v10H3z"],
];
const FORK = "M5 1a2 2 0 0 0-1 3.7V11.300a2 2 0 1 0 2 0V9h3a3 3 0 0 0 3-3V4.700a2 2 0 1 0-2 0V6a1 1 0 0 1-1 1H6V4.700A2 2 0 0 0 5 1z";
const OFFERED = {
  queued: ["stop"], starting: ["stop"], running: ["pause", "stop"], paused: ["resume", "stop"],
  stopped: ["resume"], failed: ["resume"], lost: ["resume"],
};

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host) => new RunControls(host));
}

/** A drawn sign of 16 × 16. */
function sign(path) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 16 16");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  drawing.append(line);
  return drawing;
}

class RunControls {
  constructor(host) {
    Object.assign(this, { store: null, asked: null, told: null, patience: 0, rest: 0 });
    this.words = make("span", { class: "words cl-quiet", role: "status" });
    this.buttons = ACTS.map(([act, label, , path]) => {
      const text = make("span", {}, label);
      const element = make("button", { type: "button", hidden: true, title: label, "aria-label": label, onclick: () => this.ask(act) }, sign(path), text);
      return { act, element, text };
    });
    const about = "Go on from a checkpoint of this run in another way; the run itself stays as it is.";
    this.fork = make("button", { type: "button", hidden: true, title: about, onclick: () => this.wantFork() }, sign(FORK), make("span", {}, "Fork"));
    host.append(make("div", { class: "controls", "data-testid": "run-controls", role: "group", "aria-label": "The run" },
      this.words, ...this.buttons.map(({ element }) => element), this.fork));
  }

  bind(store, data, { setTriggerValue }) {
    if (store !== this.store) this.forget();
    Object.assign(this, { store, data, trigger: setTriggerValue });
    if (data.lives === store.alive) this.told = null;
    this.update("status");
  }

  update(kind) {
    if (!this.store || !["about", "status", "connection", "records"].includes(kind)) return;
    const state = this.store.status?.state;
    if (this.asked && state !== this.asked.state) this.forget();
    this.render(state);
    if (state) this.tell();
  }

  render(state) {
    const { example } = this.data;
    const offered = example ? [] : OFFERED[state] ?? [];
    this.buttons.forEach(({ act, element, text }, at) => {
      const busy = this.asked?.act === act;
      element.hidden = !offered.includes(act) && !busy;
      // a run that has been asked to pause may still be asked to stop
      element.disabled = this.store.connection === "offline" || busy || (Boolean(this.asked) && !(act === "stop" && this.asked.act === "pause"));
      element.setAttribute("aria-busy", String(busy));
      setText(text, ACTS[at][busy ? 2 : 1]);
      element.setAttribute("aria-label", text.textContent);
    });
    this.fork.hidden = !this.store.records.length;
    if (!this.words.dataset.tone) setText(this.words, example ? "A recorded example. Press Train to make a run of your own." : "");
  }

  /** Have the page drawn anew once when a run begins to live or has ended: it may then show other panels. */
  tell() {
    const lives = this.store.alive;
    if (lives === this.data.lives || this.told === lives) return;
    if (!atRest()) {
      this.rest ||= setTimeout(() => { this.rest = 0; this.tell(); }, REST_MS);
      return;
    }
    this.told = lives;
    this.trigger("lives", lives);
  }

  async ask(act) {
    const { store } = this, asked = { act, state: store.status?.state };
    this.forget();
    this.asked = asked;
    this.render(asked.state);
    this.patience = setTimeout(() => this.refuse(asked, "The worker has not answered yet; it obeys at its next step."), PATIENCE_MS);
    try {
      const answer = await fetch(store.address("control"), {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ act }),
      });
      if (!answer.ok) this.refuse(asked, (await answer.json()).error);
    } catch {
      this.refuse(asked, "The server could not be reached; nothing was changed.");
    }
  }

  /** Say why a wish was not obeyed, unless the run, the state or the wish is another by now. */
  refuse(asked, why) {
    if (this.asked !== asked) return;
    this.forget();
    this.words.dataset.tone = "alarm";
    setText(this.words, sentence(why));
    this.render(this.store.status?.state);
  }

  forget() {
    clearTimeout(this.patience);
    this.asked = null;
    delete this.words.dataset.tone;
  }

  /** The page asks further questions; it is told the moment one looks at. */
  wantFork() {
    this.trigger("fork", { step: this.store.record?.step ?? null, run: this.store.run });
  }

  destroy() {
    clearTimeout(this.rest);
    this.forget();
  }
}
