/**
 * The times that the page waits: before it connects again, and for a connection on which nothing arrives.
 */

/** The time before the page connects again, until the hub sets another with `retry`. An `EventSource` waits as long. */
const RECONNECTION_TIME_MS = 2_000;
/** The longest time to which failing attempts double the wait, unless the hub's own reconnection time is longer. */
const LONGEST_DOUBLED_MS = 30_000;
/** The greatest part by which a wait is made longer at random, so that pages do not all reconnect at the same time. */
const SPREAD = 0.25;
/** The first wait that is doubled after a failed attempt, if the hub's own reconnection time is shorter, such as 0. */
const SHORTEST_DOUBLED_MS = 250;
/** The longest wait of a browser's timer; a timer with a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The wait before each attempt to connect. */
export class Backoff {
  #reconnectionTime = RECONNECTION_TIME_MS;
  #failures = 0;

  /** Sets the reconnection time that the hub has sent. */
  set reconnectionTime(retry_ms) {
    this.#reconnectionTime = retry_ms;
  }

  /** Notes that a connection was good: the next wait is not a doubled one. */
  succeeded() {
    this.#failures = 0;
  }

  /**
   * @param {number} atLeast_ms the shortest time to wait, which the last answer of the server asked for
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

/** The first silence after which a connection counts as lost: three heartbeats of a hub with default settings. */
const FIRST_SILENCE_MS = 60_000;
/** The longest such silence. It is longer than two heartbeats at the longest interval that a hub can have. */
const LONGEST_SILENCE_MS = 2.5 * 3_600_000;

/**
 * Notices a connection that was lost without an error, as happens when a machine sleeps or its network changes.
 *
 * A hub may have a longer heartbeat interval than the default. So each time that a connection counts as lost because of
 * silence, the next silence may last twice as long.
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

  /** Notes that bytes have arrived. It is called for each chunk, so it only looks at the clock. */
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

  /**
   * Checks now how long the silence has lasted. Timers stand still while a machine sleeps, and are slow in a page that
   * is not shown.
   */
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
