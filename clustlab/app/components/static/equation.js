/** The objective as an equation: each term with its weight, and with its value at the frame shown under it. */

import { mathml } from "./latex.js";
import { keep, make, pretty, setText } from "./theme.js";

/** Called by Streamlit for the place on the page. */
export function mount(component) {
  return keep(component, (host) => new Equation(host));
}

class Equation {
  constructor(host) {
    this.store = null;
    this.root = make("div", { class: "equation", "data-testid": "equation", role: "group", "aria-label": "What is being minimised" });
    host.append(this.root);
  }

  bind(store) {
    if (store !== this.store) Object.assign(this, { store, drawn: "" });
    this.update("about");
  }

  update(kind) {
    if (!this.store || !["about", "frame", "records", "status"].includes(kind)) return;
    const phases = this.store.about?.phases;
    if (!phases) {
      const over = this.store.status && !this.store.alive;
      const sentence = over ? "This run ended before its networks were built." : "The objective is shown as soon as the networks are built.";
      this.root.replaceChildren(make("div", { class: "cl-quiet" }, this.store.error ? "" : sentence));
      this.drawn = "";
      return;
    }
    const terms = collect(phases);
    const drawn = JSON.stringify(terms);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.build(terms);
    }
    this.fill(phases.map(({ name }) => name));
  }

  /** One line a player. */
  build(terms) {
    this.cells = [];
    const players = [...new Set(terms.map(({ player }) => player))];
    if (!terms.length) this.root.replaceChildren(make("div", { class: "cl-quiet" }, "This method minimises nothing by gradient descent."));
    else this.root.replaceChildren(...players.map((player) => this.line(player, terms.filter((term) => term.player === player))));
  }

  line(player, terms) {
    const total = make("span", { class: "total cl-numbers" });
    const parts = terms.map((term, at) => {
      const factor = make("span"), raw = make("b"), value = make("span", { class: "value cl-numbers" }, factor, raw);
      const point = (name) => () => this.store.point(name);
      const element = make("div", {
        class: "term", tabindex: "0",
        onpointerenter: point(term.name), onpointerleave: point(null), onfocus: point(term.name), onblur: point(null),
      }, symbolOf(term, at), value);
      this.cells.push({ term, element, factor, raw, total });
      return make("span", { class: "summand" }, ...signOf(term, at), element);
    });
    const symbol = make("span", { class: "symbol" }, make("i", {}, "L"), make("sub", {}, player), "\u2009=");
    return make("div", { class: "player", "data-player": player }, make("div", { class: "left" }, symbol, total), ...parts);
  }

  /** Values at the frame shown; terms whose phase is another one are put back and say when theirs is. */
  fill(order) {
    const record = this.store.record;
    const phase = record?.phase ?? this.store.status?.phase;
    const totals = new Map();
    for (const { term, element, factor, raw, total } of this.cells) {
      const active = term.phases.includes(phase);
      const known = active ? record?.terms?.[term.name] : null;
      const weight = known?.weight ?? term.weight;
      element.classList.toggle("idle", !active);
      setText(factor, known && Math.abs(weight) !== 1 ? `${short(Math.abs(weight))} · ` : "");
      setText(raw, known ? pretty(known.raw) : active ? "–" : whenElse(term, phase, order));
      const share = known ? ` It counts ${short(weight)} × ${pretty(known.raw)} = ${pretty(known.weighted)}.` : "";
      element.title = `${term.help}${active ? share : ` Only in the phase “${term.titles.join("”, “")}”.`}`;
      totals.set(total, (totals.get(total) ?? 0) + (known?.weighted ?? 0));
    }
    for (const [total, sum] of totals) {
      const any = this.cells.some((cell) => cell.total === total && record?.terms?.[cell.term.name] && cell.term.phases.includes(phase));
      setText(total, any ? pretty(sum) : "–");
    }
  }
}

/** Whether the phase of an idle term is still to come. */
function whenElse({ phases }, phase, order) {
  return Math.max(...phases.map((name) => order.indexOf(name))) > order.indexOf(phase) ? "later" : "over";
}

/** A weight without the zeros that say nothing. */
function short(weight) {
  return String(Number(weight.toPrecision(3)));
}

/** All terms of a run, each once, with the phases in which it is minimised. */
function collect(phases) {
  const found = new Map();
  for (const { name: phase, title, terms } of phases) {
    for (const term of terms ?? []) {
      const key = `${term.player} ${term.name}`;
      const entry = found.get(key) ?? { ...term, phases: [], titles: [] };
      entry.phases.push(phase);
      entry.titles.push(title || phase);
      entry.weight = term.weight;
      found.set(key, entry);
    }
  }
  return [...found.values()];
}

/** The sign before a summand: none before the first, unless it is maximised. */
function signOf({ weight }, at) {
  const sign = weight < 0 ? "\u2212" : at ? "+" : "";
  return sign ? [make("span", { class: "plus", "aria-hidden": "true" }, sign)] : [];
}

function symbolOf({ name, latex, symbol, weight, weight_symbol: letter }, at) {
  const written = (latex && mathml(latex)) || make("span", {}, symbol || name);
  const before = letter || (Math.abs(weight) === 1 ? "" : pretty(Math.abs(weight)));
  const shown = /^\\/.test(before) ? mathml(before) ?? before : before;
  const negative = /^[-−]/.test(latex || symbol || name);
  const parts = negative && (at || before) ? ["(", written, ")"] : [written];
  return make("span", { class: "symbol" }, ...(before ? [make("span", { class: "weight" }, shown)] : []), ...parts);
}
