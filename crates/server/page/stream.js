/**
 * The stream of the page: its state, and the last event ID from which it continues.
 *
 * It does what an `EventSource` does: it connects again when a connection ends, waits as long as the hub says, and
 * continues after the last event ID. It also does what an `EventSource` cannot do: it sends a token in a header, reads
 * why it was refused, waits longer after each failure, and tries again after a refusal if the same request may succeed
 * later.
 */
import { follow } from "./connection.js";
import { streamUrl } from "./hub.js";
import { sameMatchers } from "./matchers.js";
import { Backoff, Watchdog } from "./patience.js";
import { Refusal } from "./refusal.js";

/** The time after which an open connection counts as good, even if no event came. */
const STOOD_MS = 5_000;

/**
 * @typedef {object} Update an update, as the hub sends it in an envelope
 * @property {string} id
 * @property {string[]} topics
 * @property {string} type
 * @property {string} data
 * @property {boolean} private
 * @property {number} time_ms the time when the hub accepted the update, in milliseconds since the Unix epoch
 */

/**
 * The page's stream, which tells others of what happens by these events: `change` (the state or another property is
 * new), `update` (detail: {@link Update}), `gap` (detail: the hub's message about updates that it no longer has, with
 * `requested`, `resumed_from` and `reason`), `refused` (detail: {@link Refusal}), `expired` (detail:
 * `why`; the token has expired, or the hub no longer accepts it; the stream is closed, and can continue at the same event
 * with another token).
 */
export class Stream extends EventTarget {
  /** @type {"connecting" | "open" | "closed"} */
  state = "closed";
  reconnections = 0;
  /** @type {Date | null} */
  lastReconnection = null;
  /** The number of gaps that the hub has told the page of. */
  gaps = 0;
  /**
   * The ID of the last event that was received, also of a start event (`fanfare.start`), as an `EventSource` has it. It
   * stays when the stream is closed, so that nothing is missed when it is opened again.
   */
  lastEventId = "";
  /** The reason why the stream is not open; empty if it is open, or if the person has closed it. */
  trouble = "";

  /**
   * The event ID from which the next connection continues: of the last event, or until then, the one that the header of
   * the answer names. A hub without start events has only the header.
   */
  #place = "";
  /** True if the person was told of an event: an update or a gap. */
  #hasTold = false;
  /** @type {{matchers: import("./matchers.js").Matcher[], token: string, startAfter: string} | null} */
  #request = null;
  /** Ends the current connection. */
  #abort = new AbortController();
  #wasOpen = false;
  #openedAt = 0;
  #retryTimer = 0;
  #backoff = new Backoff();
  #watchdog = new Watchdog((silence_ms) => this.#died(silence_ms));

  /**
   * Opens the stream. A connection that is open is closed. The stream continues after the last event that was received,
   * but a stream of other topics begins where its request says if there was neither an update nor a gap so far.
   *
   * @param {{matchers: import("./matchers.js").Matcher[], token: string, startAfter: string}} request `startAfter`: the
   *   start if no event was received yet: an event ID, `earliest`, or an empty text for only new events
   */
  open(request) {
    this.#release();
    const isTheSame = this.#request && sameMatchers(this.#request.matchers, request.matchers);
    if (!isTheSame && !this.#hasTold) this.forgetPlace();
    this.#request = request;
    this.#wasOpen = false;
    this.#backoff = new Backoff();
    this.#connect();
  }

  close() {
    this.#release();
    this.#become("closed");
  }

  /** Forgets the events that were received, so that the next stream begins where its request says. */
  forgetPlace() {
    this.lastEventId = this.#place = "";
    this.#hasTold = false;
  }

  /** True if the stream waits before the next attempt to connect. */
  get isWaiting() {
    return this.#retryTimer !== 0;
  }

  /**
   * Connects at once if the stream waits, and otherwise checks the connection: the network may be back, or the machine
   * awake.
   */
  wake() {
    if (this.isWaiting) this.#connect();
    else this.#watchdog.look();
  }

  #release() {
    this.#abort.abort();
    this.#watchdog.stop();
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
  }

  async #connect() {
    this.#release();
    const { signal } = (this.#abort = new AbortController());
    this.#become("connecting");
    this.#watchdog.watch();
    const { matchers, token, startAfter } = this.#request;
    try {
      await follow(streamUrl(matchers, { envelope: true, asksForPlace: true }), {
        token,
        place: this.#place || startAfter,
        signal,
        onOpen: (place) => signal.aborted || this.#opened(place),
        onBytes: () => this.#heard(),
        onEvent: (event) => this.#received(event),
        onRetry: (retry_ms) => (this.#backoff.reconnectionTime = retry_ms),
      });
      if (!signal.aborted) this.#again("The connection has ended");
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
  }

  #opened(place) {
    if (this.#wasOpen) {
      this.reconnections += 1;
      this.lastReconnection = new Date();
    }
    if (!this.#place && !this.#request.startAfter) this.#place = place;
    this.#wasOpen = true;
    this.#openedAt = performance.now();
    this.#become("open");
  }

  #heard() {
    this.#watchdog.heard();
    if (this.state === "open" && performance.now() - this.#openedAt > STOOD_MS) this.#backoff.succeeded();
  }

  #failed(error) {
    if (error instanceof Refusal) {
      if (error.mayPass) return this.#again(error.message, error.retryAfter_ms);
      return this.#stop(error.message, "refused", error);
    }
    // After a reconnection the same event would come again, so the stream is closed.
    if (error instanceof RangeError) return this.#stop(`The stream was closed: ${error.message}.`);
    this.#again(this.#wasOpen ? "The connection was lost" : "The hub does not answer");
  }

  #died(silence_ms) {
    this.#again(`Nothing has come for ${inWords(silence_ms)}, so the connection is taken for lost`);
  }

  #again(why, atLeast_ms = 0) {
    this.#release();
    const wait_ms = this.#backoff.next(atLeast_ms);
    this.#retryTimer = setTimeout(() => this.#connect(), wait_ms);
    this.#become("connecting", `${why.replace(/\.$/, "")}; trying again in ${inWords(wait_ms)}.`);
  }

  #stop(why, event, detail) {
    this.#release();
    this.#become("closed", why);
    if (event) this.#tell(event, detail);
  }

  /**
   * Handles an event. The hub sends its own events without an envelope, and published updates in an envelope, so no
   * publisher can imitate an event of the hub.
   */
  #received({ type, data, lastEventId }) {
    if (lastEventId) this.lastEventId = this.#place = lastEventId;
    // Each connection begins with a start event, and a hub that is away or full answers with an end, so neither shows
    // that the connection is a good one.
    if (type === "fanfare.start") return this.dispatchEvent(new Event("change"));
    const said = parsed(data);
    if (type === "fanfare.end") return this.#ended(said.reason);
    this.#backoff.succeeded();
    this.#hasTold = true;
    if (type === "fanfare.gap") {
      this.gaps += 1;
      this.#tell("gap", said);
    } else {
      this.#tell("update", Array.isArray(said.topics) ? said : bare(type, data, lastEventId));
    }
  }

  /**
   * Handles the hub's message that the connection is about to end. A token that is not valid any more needs a person. After another
   * reason, such as `now` (the hub has sent all updates that it had), the stream continues at its place when the
   * connection has ended.
   */
  #ended(reason) {
    const why = { "token-expired": "The token has expired.", "token-revoked": "The hub no longer accepts the token." }[reason];
    if (why) return this.#stop(why, "expired", { why });
    this.dispatchEvent(new Event("change"));
  }

  #become(state, trouble = "") {
    this.state = state;
    this.trouble = trouble;
    this.dispatchEvent(new Event("change"));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function parsed(data) {
  try {
    return Object(JSON.parse(data));
  } catch {
    return {};
  }
}

/**
 * Makes an update from an event without an envelope. Not the hub but a proxy before it has sent this event, so it is
 * shown as it is.
 */
function bare(type, data, id) {
  return { id, topics: [], type, data, private: false, time_ms: Date.now() };
}

function inWords(time_ms) {
  const seconds = Math.round(time_ms / 1_000);
  if (seconds < 1) return "a moment";
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60).toLocaleString()} min`;
}
