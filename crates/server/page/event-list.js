/**
 * The list of events, newest first: bounded, filtered, and able to stand still while it is read.
 *
 * Thousands of events a second must not freeze the page: arrivals are gathered and shown together, in an animation
 * frame, and no more often than leaves the browser most of its time. What would leave the list again before it could be
 * seen is counted, but never made into a row.
 */
import { gapRow, updateRow } from "./event-row.js";

/** The greatest number of rows of the list. */
const MAX_ROWS = 500;
/** A second bound, for large events: what all rows hold together, in UTF-16 units. */
const MAX_HELD = 16_000_000;
/** Rows are made for so long at a time; what is left comes next. */
const FLUSH_MS = 40;
/** The list takes at most one part in this many of the page's time. */
const TIME_SHARE = 5;
/** Rows that arrive faster than this are not faded in: it would only flicker. */
const CALM_ROWS_PER_FLUSH = 4;

export class EventList {
  #rows;
  /** Arrivals that have no row yet, oldest first: `{texts, size, make}`; `texts` is what the filter searches. */
  #pending = [];
  #pendingHeld = 0;
  /** Newest first, as in the document: `{texts, size, node}`. */
  #shown = [];
  #held = 0;
  #words = [];
  #paused = false;
  #scheduled = false;
  #onChange;

  /**
   * @param {HTMLElement} rows where the rows go
   * @param {() => void} onChange called when what {@link EventList.counts} says may have changed
   */
  constructor(rows, onChange) {
    this.#rows = rows;
    this.#onChange = onChange;
  }

  /** @param {import("./stream.js").Update} update */
  addUpdate(update) {
    const { topics, type, id, data } = update;
    this.#add([...topics, type, id, data], () => updateRow(update));
  }

  addGap(gap) {
    this.#add(["fanfare.gap", gap.reason, gap.requested, gap.resumed_from].map(String), () => gapRow(gap));
  }

  /** While paused, events wait outside the list; as many as the list can hold. */
  set paused(paused) {
    this.#paused = paused;
    if (!paused) this.#schedule();
    this.#onChange();
  }

  get paused() {
    return this.#paused;
  }

  /** Shows only rows that hold every word of `filter`, in whatever case. */
  set filter(filter) {
    this.#words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of this.#shown) item.node.hidden = !this.#matches(item);
    this.#onChange();
  }

  clear() {
    this.#takePending();
    this.#shown = [];
    this.#held = 0;
    this.#rows.replaceChildren();
    this.#onChange();
  }

  get counts() {
    return {
      held: this.#shown.length,
      matching: this.#shown.reduce((sum, { node }) => sum + !node.hidden, 0),
      waiting: this.#paused ? this.#pending.length : 0,
    };
  }

  #add(texts, make) {
    const size = texts.reduce((sum, { length }) => sum + length, 0);
    this.#pending.push({ texts, size, make });
    this.#pendingHeld += size;
    // Twice the bounds before cutting, so that the cut is not paid for with every event.
    if (this.#pending.length >= 2 * MAX_ROWS || this.#pendingHeld >= 2 * MAX_HELD) {
      this.#pending = newestWithin(this.#takePending());
      this.#pendingHeld = heldBy(this.#pending);
    }
    if (this.#paused) this.#onChange();
    else this.#schedule();
  }

  #takePending() {
    const taken = this.#pending;
    this.#pending = [];
    this.#pendingHeld = 0;
    return taken;
  }

  #schedule() {
    if (this.#scheduled || this.#pending.length === 0) return;
    this.#scheduled = true;
    requestAnimationFrame(() => this.#flush());
  }

  #flush() {
    if (this.#paused) return void (this.#scheduled = false);
    const began = performance.now();
    const waiting = newestWithin(this.#takePending());
    const arrivals = [];
    while (arrivals.length < waiting.length && (arrivals.length === 0 || performance.now() - began < FLUSH_MS)) {
      const { texts, size, make } = waiting[arrivals.length];
      arrivals.push({ texts, size, node: make() });
    }
    this.#pending = waiting.slice(arrivals.length);
    this.#pendingHeld = heldBy(this.#pending);
    arrivals.reverse();
    for (const item of arrivals) {
      item.node.hidden = !this.#matches(item);
      this.#held += item.size;
    }
    this.#rows.classList.toggle("is-calm", arrivals.length <= CALM_ROWS_PER_FLUSH);
    this.#rows.prepend(...arrivals.map(({ node }) => node));
    this.#shown.unshift(...arrivals);
    this.#evict();
    this.#onChange();
    this.#rest(performance.now() - began);
  }

  #evict() {
    while (this.#shown.length > MAX_ROWS || (this.#held > MAX_HELD && this.#shown.length > 1)) {
      const { node, size } = this.#shown.pop();
      this.#held -= size;
      // The keyboard's place must not be lost with the row.
      if (node.contains(document.activeElement)) this.#shown.at(-1)?.node.focus({ preventScroll: true });
      node.remove();
    }
  }

  #rest(spent) {
    setTimeout(() => {
      this.#scheduled = false;
      this.#schedule();
    }, spent * (TIME_SHARE - 1));
  }

  /** Lower case is made when it is asked for: kept, it would double what large events take. */
  #matches({ texts }) {
    if (this.#words.length === 0) return true;
    const text = texts.join("\n").toLowerCase();
    return this.#words.every((word) => text.includes(word));
  }
}

function heldBy(items) {
  return items.reduce((sum, { size }) => sum + size, 0);
}

/** The newest of `items` (oldest first) that the list has room for; at least one. */
function newestWithin(items) {
  let first = items.length;
  let held = 0;
  while (first > 0 && items.length - first < MAX_ROWS) {
    held += items[first - 1].size;
    if (held > MAX_HELD && first < items.length) break;
    first -= 1;
  }
  return items.slice(first);
}
