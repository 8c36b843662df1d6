import { atRest } from "./theme.js";

/** The address of the page says what is looked at: run, frame, selection; so that it can be kept and sent to others. */

const REST_MS = 300;
const MOST_LISTED = 50;

/**
 * A selection as a text for the link, null if there is none or it is too large: `12`, a pair `12~80`, cluster, class or both
 * `c4`, `y3`, `c4y3`, with `f9` behind it where clusters are those of another frame than `frame`, `c2f5c4` for samples of
 * cluster 4 that were in cluster 2 at frame 5, a list `12-15-80`.
 */
export function writeSelection({ one, pair, set, origin }, frame) {
  if (pair) return pair.join("~");
  if (one !== null) return String(one);
  if (!set) return null;
  if (!origin) return set.positions.length <= MOST_LISTED ? set.positions.join("-") : null;
  const { cluster, class: number } = origin;
  const of = cluster !== undefined && origin.frame !== frame ? `f${origin.frame}` : "";
  const come = origin.from === undefined ? "" : `c${origin.from}f${origin.since}`;
  return `${come}${cluster === undefined ? "" : `c${cluster}`}${number === undefined ? "" : `y${number}`}${of}`;
}

/** What a text of a link asks the selection for (see `Selection.want`); null if it asks for nothing that there is. */
export function readSelection(text, frame) {
  if (/^\d{1,9}$/.test(text)) return { one: Number(text) };
  if (/^\d{1,9}~\d{1,9}$/.test(text)) {
    const [first, second] = text.split("~").map(Number);
    return first === second ? { one: first } : { one: first, pair: [first, second] };
  }
  if (/^\d{1,9}(-\d{1,9})+$/.test(text)) return { positions: [...new Set(text.split("-").map(Number))] };
  const group = /^(?:c(?<from>\d{1,5})f(?<since>\d{1,7})(?=c))?(?:c(?<cluster>\d{1,5}))?(?:y(?<number>\d{1,5}))?(?:f(?<at>\d{1,7}))?$/.exec(text);
  if (!group) return null;
  const { from, since, cluster, number, at } = group.groups;
  if (cluster === undefined && number === undefined) return null;
  const origin = {};
  if (cluster !== undefined) Object.assign(origin, { cluster: Number(cluster), frame: Number(at ?? frame) });
  if (from !== undefined) Object.assign(origin, { from: Number(from), since: Number(since) });
  if (number !== undefined) origin.class = Number(number);
  return { origin };
}

/**
 * Keeps the address up to date for one place on the page.
 *
 * Streamlit takes no notice of `replaceState`: nothing is run again. It writes addresses of its own when the page asks for
 * another run or goes to another page; what it wrote is read anew each time and only our own parameters are changed.
 */
export class PageLink {
  /** @param {Element} place part of the page that the address belongs to; once it is gone, nothing is written */
  constructor(place) {
    Object.assign(this, { place, path: window.location.pathname, store: null, timer: 0 });
  }

  /** Write for a store from now on. */
  use(store) {
    this.store = store;
    this.write();
  }

  /** Write what is looked at, once it rests for a moment; while a run plays, every now and then. */
  write() {
    this.timer ||= setTimeout(() => {
      this.timer = 0;
      const here = this.place.isConnected && window.location.pathname === this.path; // not while another page takes over
      if (!here || !this.store) return;
      if (atRest()) this.renew();
      else this.write(); // a page that is on its way has its parameters in the address before its name
    }, REST_MS);
  }

  renew() {
    const { store } = this;
    if (!store.records.length || store.frame < 0) return;
    const address = new URL(window.location.href), asked = address.searchParams;
    const frame = store.following && store.alive ? null : store.frame;
    const selection = writeSelection(store.selection, frame);
    asked.set("run", store.run);
    for (const [name, value] of [["frame", frame], ["select", selection]]) {
      if (name === "select" && store.selection.wanted) continue; // what the link asks for is on its way
      if (value === null) asked.delete(name);
      else asked.set(name, value);
    }
    address.search = asked.toString().replaceAll("%7E", "~");
    if (address.href !== window.location.href) window.history.replaceState(window.history.state, "", address);
  }

  close() {
    clearTimeout(this.timer);
  }
}
