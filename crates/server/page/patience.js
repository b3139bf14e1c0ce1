/**
 * How long the page waits: before it connects again, and for a connection that says nothing.
 */

/** What a browser's `EventSource` would wait, until the hub says otherwise with `retry`. */
const RECONNECTION_TIME_MS = 2_000;
/** Attempts that fail one after the other double the wait, up to here, or up to what the hub asks for if that is longer. */
const LONGEST_DOUBLED_MS = 30_000;
/** Waits are spread by up to this part of them, so that pages that broke together do not come back together. */
const SPREAD = 0.25;
/** What a `retry` of 0 comes to once an attempt has failed. */
const SHORTEST_DOUBLED_MS = 250;
/** The longest wait of a timer; a longer one would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How long to wait before each attempt. */
export class Backoff {
  #reconnectionTime = RECONNECTION_TIME_MS;
  #failures = 0;

  /** The hub's own reconnection time. */
  set reconnectionTime(retry_ms) {
    this.#reconnectionTime = retry_ms;
  }

  /** The connection was good: the next wait is the first again. */
  succeeded() {
    this.#failures = 0;
  }

  /**
   * @param {number} atLeast_ms what the server asked for in particular
   * @param {number} chance from 0 to 1
   */
  next(atLeast_ms = 0, chance = Math.random()) {
    const base = this.#reconnectionTime;
    const doubled = Math.max(base, SHORTEST_DOUBLED_MS) * 2 ** Math.min(this.#failures, 30);
    const wait = this.#failures === 0 ? base : Math.min(doubled, Math.max(LONGEST_DOUBLED_MS, base));
    this.#failures += 1;
    return Math.min(Math.max(wait, atLeast_ms) * (1 + SPREAD * chance), LONGEST_TIMER_MS);
  }
}

/** The silence after which a connection is taken for lost: three heartbeats of a hub that is set up as it comes. */
const FIRST_SILENCE_MS = 60_000;
/** The longest such silence, which is doubled each time: longer than two of the rarest heartbeats that a hub can be set to. */
const LONGEST_SILENCE_MS = 2.5 * 3_600_000;

/**
 * Notices a connection that has died without a word, as they do when a machine sleeps or a network changes.
 *
 * A hub may be set to rarer heartbeats than the usual: each time that silence was taken for death in vain, it may last
 * twice as long.
 */
export class Watchdog {
  #onSilence;
  #limit = FIRST_SILENCE_MS;
  #heardAt = 0;
  #timer = 0;

  /** @param {(silence_ms: number) => void} onSilence */
  constructor(onSilence) {
    this.#onSilence = onSilence;
  }

  /** Something came. Called for each chunk, so it only looks at the clock. */
  heard() {
    this.#heardAt = performance.now();
  }

  watch() {
    this.stop();
    this.heard();
    this.#schedule(this.#limit);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  /** Looks now: timers stand still while a machine sleeps, and are slow in a page that is not shown. */
  look() {
    if (this.#timer === 0) return;
    const silence_ms = performance.now() - this.#heardAt;
    if (silence_ms < this.#limit) return this.#schedule(this.#limit - silence_ms);
    this.stop();
    this.#limit = Math.min(2 * this.#limit, LONGEST_SILENCE_MS);
    this.#onSilence(silence_ms);
  }

  #schedule(wait_ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), Math.ceil(wait_ms));
  }
}
