/**
 * The list of events, newest first. It is bounded, can be filtered, and can be paused while somebody reads it.
 *
 * Thousands of events a second must not freeze the page. So the list collects the events that arrive, and shows them
 * together in an animation frame. Between two such frames it leaves the browser most of the time. An event that would
 * leave the list before anybody could see it is never made into a row.
 */
import { gapRow, updateRow } from "./event-row.js";

/** The greatest number of rows of the list. */
const MAX_ROWS = 500;
/** The greatest length of all rows of the list together, in UTF-16 units. It matters for large events. */
const MAX_HELD = 16_000_000;
/** The longest time for which rows are made in one frame. The events that are left get their rows in the next frame. */
const FLUSH_MS = 40;
/** The divisor for the page's time: the list uses at most the quotient, and leaves the rest to the browser. */
const TIME_SHARE = 5;
/** The greatest number of new rows in a frame that are faded in. If there are more, fading would only flicker. */
const CALM_ROWS_PER_FLUSH = 4;

export class EventList {
  #rows;
  /** The events that have no row yet, oldest first, as `{texts, size, make}`. The filter searches `texts`. */
  #pending = [];
  #pendingHeld = 0;
  /** The events that have a row, newest first, as in the document: `{texts, size, node}`. */
  #shown = [];
  #held = 0;
  #words = [];
  #paused = false;
  #scheduled = false;
  #onChange;

  /**
   * @param {HTMLElement} rows the element that holds the rows
   * @param {() => void} onChange called when {@link EventList.counts} may have changed
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

  /**
   * Pauses the list, or lets it go on. While it is paused, new events wait outside the list, at most as many as the
   * list can hold.
   */
  set paused(paused) {
    this.#paused = paused;
    if (!paused) this.#schedule();
    this.#onChange();
  }

  get paused() {
    return this.#paused;
  }

  /** Shows only the rows that contain every word of `filter`, in upper or lower case. */
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
    // Old events are dropped only at twice the bounds: dropping takes time, and is then not needed for every event.
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
      // If the keyboard's focus is in the row that is removed, it moves to the row above.
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

  /**
   * Returns true if the filter matches. The text in lower case is made here each time: storing it would double the
   * memory of an event.
   */
  #matches({ texts }) {
    if (this.#words.length === 0) return true;
    const text = texts.join("\n").toLowerCase();
    return this.#words.every((word) => text.includes(word));
  }
}

function heldBy(items) {
  return items.reduce((sum, { size }) => sum + size, 0);
}

/** Returns the newest of `items` that the list has room for, at least one. `items` begins with the oldest. */
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
