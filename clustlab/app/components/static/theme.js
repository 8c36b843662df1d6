/** Colours, small DOM helpers, and the life cycle that all components share. */

import { closeStore, openStore } from "./bus.js";

const PROBE_MS = 1000;

/** What most components look at: one run. A scope keeps what a page looks at apart from what others look at. */
const ONE_RUN = {
  key: ({ run, scope = "" }) => `${scope} ${run}`,
  open: ({ run, scope }) => openStore(run, scope),
  close: closeStore,
};

/** Colours of Streamlit's theme as they are at an element. */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const value = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const ground = value("--st-background-color", "#ffffff");
  return {
    text: value("--st-text-color", "#1f2328"),
    ground,
    panel: value("--st-secondary-background-color", "#f3f5f7"),
    line: value("--st-border-color", "#d5dae0"),
    accent: value("--st-primary-color", "#0072b2"),
    font: value("--st-font", "system-ui, sans-serif"),
    dark: luminance(toRgb(ground)) < 0.4,
  };
}

/** A CSS colour (#rgb, #rrggbb or rgb(…)) as three numbers from 0 to 255. */
export function toRgb(colour) {
  const numbers = /^rgba?\(([^)]+)\)/.exec(colour);
  if (numbers) return numbers[1].split(/[ ,/]+/).slice(0, 3).map(Number);
  const hex = colour.replace("#", "");
  const full = hex.length < 6 ? [...hex].map((digit) => digit + digit).join("") : hex;
  return [0, 2, 4].map((at) => parseInt(full.slice(at, at + 2), 16) || 0);
}

/** Perceived lightness of a colour, 0 to 1. */
export function luminance([red, green, blue]) {
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}

/** Colour between two, `share` of the second. */
export function mix(first, second, share) {
  return first.map((value, at) => value + (second[at] - value) * share);
}

/** Make an element; texts become text nodes, never HTML. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Whether the page is at rest: a rerun asked for while another is under way would undo a change of page it stands for. */
export function atRest() {
  return (document.querySelector("[data-test-script-state]")?.dataset.testScriptState ?? "notRunning") === "notRunning";
}

/** Set a text only when it differs, so that a live page does not disturb selections and screen readers. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A text as a sentence: with a capital at its beginning and a full stop at its end. */
export function sentence(text) {
  if (!text) return "";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.…!?]$/.test(text) ? "" : "."}`;
}

/** A number for people: four significant digits, thin spaces between thousands. */
export function pretty(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? powerOfTen(value) : value.toPrecision(digits);
}

/** A number as 3.8·10⁻⁵. */
function powerOfTen(value) {
  const [factor, power] = value.toExponential(1).split("e");
  return `${factor}·10${[...power.replace("+", "")].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"["0123456789-".indexOf(digit)]).join("")}`;
}

/** Whether the person asked for less motion. */
export function reducedMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Call `change` whenever the theme at an element becomes another; returns a function that ends it. */
function watchTheme(element, change) {
  const stamp = () => JSON.stringify(themeOf(element));
  let last = stamp();
  const timer = setInterval(() => {
    const present = stamp();
    if (present !== last) {
      last = present;
      change();
    }
  }, PROBE_MS);
  return () => clearInterval(timer);
}

/**
 * Give a component its life: made once per place on the page, told of new data and news, cleaned up when it is gone.
 *
 * Streamlit calls a component again on every rerun and may call the clean-up in between, so that the panel is kept
 * on its element and only destroyed when nobody has called again a moment later.
 *
 * @param {object} component what Streamlit hands to a component
 * @param {(host: Element, data: object) => {bind: Function, update: Function, destroy?: Function}} build `bind` is told
 *   the store, the data, and what Streamlit handed over
 * @param {{key: Function, open: Function, close: Function}} source the store that the component looks at, by its data
 */
export function keep(component, build, source = ONE_RUN) {
  const { parentElement: parent, data } = component;
  let life = parent.clustlabLife;
  if (!life) {
    const host = make("div", { class: "cl-root" });
    parent.append(host);
    const panel = build(host, data);
    life = parent.clustlabLife = { host, panel, store: null, leave: null, timer: 0 };
    life.unwatch = watchTheme(host, () => life.panel.update("theme"));
  }
  clearTimeout(life.timer);
  if (!life.host.isConnected) parent.append(life.host);
  const looksAt = source.key(data);
  if (!life.store || life.looksAt !== looksAt) {
    const store = source.open(data);
    life.leave?.();
    if (life.store) source.close(life.store);
    Object.assign(life, { store, looksAt });
    life.leave = store.subscribe((kind) => life.panel.update(kind));
  }
  life.panel.bind(life.store, data, component);
  return () => {
    clearTimeout(life.timer);
    life.timer = setTimeout(() => {
      if (parent.clustlabLife !== life) return;
      life.unwatch();
      life.leave();
      source.close(life.store);
      life.panel.destroy?.();
      life.host.remove();
      delete parent.clustlabLife;
    }, 300);
  };
}
