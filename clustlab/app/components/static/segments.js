/** A choice among few things that all stay in sight. */

import { make } from "./theme.js";

/** A small segmented control whose buttons are kept while their names stay. */
export function segments(element, entries, chosen, choose) {
  const names = entries.map(([name]) => name).join();
  element.closest("label").hidden = entries.length < 2;
  if (element.dataset.names !== names) {
    element.dataset.names = names;
    element.replaceChildren(...entries.map(([name, title]) => make("button", { type: "button", "data-name": name }, title)));
  }
  for (const button of element.children) {
    button.setAttribute("aria-pressed", String(button.dataset.name === chosen));
    button.onclick = () => choose(button.dataset.name);
  }
}
