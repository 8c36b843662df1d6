/** Saving what one sees: a row of buttons named by the kind of file, and how a file leaves the browser. */

import { make } from "./theme.js";

/**
 * A row of buttons, each named by the kind of file that it saves.
 *
 * @param {string} what what is saved, as a person calls it
 * @param {Object<string, () => unknown>} acts what to do, by kind of file
 */
export function saveRow(what, acts) {
  const buttons = Object.entries(acts).map(([kind, act]) =>
    make("button", { type: "button", "data-kind": kind, "aria-label": `Save ${what} as ${kind}`, title: `Save ${what} as ${kind}`, onclick: act }, kind));
  return make("div", { class: "cl-save", role: "group", "aria-label": `Save ${what}` }, ...buttons);
}

/** Hand a file to the person. */
export function download(content, name) {
  const address = URL.createObjectURL(content);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** A table as a file. */
export function csv(text) {
  return new Blob([text], { type: "text/csv" });
}
