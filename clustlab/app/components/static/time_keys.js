/** What time lines have in common: the speeds of play, and the keys that move them wherever the person is on the page. */

const SPEEDS = [0.5, 1, 2, 4, 8];
const TYPING = "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true], [role=textbox], [role=combobox]";
const OWN_ARROWS = "[role=tab], [role=slider], [role=radio], input[type=radio], [role=option]";

/** The speed after one; after the fastest comes the slowest. */
export function faster(speed) {
  return SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length];
}

/** Do what a key asks of a time line (`step`, `toggle`, `follow`), unless it is meant for what has the focus. */
export function actOnKey(event, line, more = {}) {
  const target = event.composedPath()[0];
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target instanceof Element && target.matches(TYPING)) return;
  const acts = { ArrowLeft: () => line.step(-1), ArrowRight: () => line.step(1), l: () => line.follow(), L: () => line.follow(), ...more };
  if (!(target instanceof HTMLElement && target.matches("button, a, summary, [role=button]"))) acts[" "] = () => line.toggle();
  if (!(event.key in acts) || (target instanceof Element && target.matches(OWN_ARROWS))) return;
  event.preventDefault();
  acts[event.key]();
}
