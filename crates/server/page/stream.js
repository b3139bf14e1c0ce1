/**
 * The page's one stream: what became of it, and where it stands.
 *
 * It does what an `EventSource` does: it connects again when a connection ends, waits as long as the hub says, and goes on
 * after the last event ID. And it does what that cannot: it sends a token in a header, reads why it was refused, waits longer
 * each time, and tries again after a refusal that may pass.
 */
import { follow } from "./connection.js";
import { streamUrl } from "./hub.js";
import { sameMatchers } from "./matchers.js";
import { Backoff, Watchdog } from "./patience.js";
import { Refusal } from "./refusal.js";

/** A connection that stood for so long was good, even if no event came. */
const STOOD_MS = 5_000;

/**
 * @typedef {object} Update an update as the hub's envelope tells it
 * @property {string} id
 * @property {string[]} topics
 * @property {string} type
 * @property {string} data
 * @property {boolean} private
 * @property {number} time_ms when the hub took it, in milliseconds since the Unix epoch
 */

/**
 * Events: `change` (the state, or a fact beside it, is new), `update` (detail: {@link Update}), `gap` (detail: what the
 * hub says about updates that it no longer has: `requested`, `resumed_from`, `reason`), `refused` (detail: {@link Refusal}),
 * `expired` (the token has; the stream is closed and keeps its place).
 */
export class Stream extends EventTarget {
  /** @type {"connecting" | "open" | "closed"} */
  state = "closed";
  reconnections = 0;
  /** @type {Date | null} */
  lastReconnection = null;
  /** How many gaps the hub has told of. */
  gaps = 0;
  /** The ID of the last event seen; kept over close and reopen, so that nothing in between is missed. */
  lastEventId = "";
  /** Why the stream is not open, when it is not by the user's wish. */
  trouble = "";

  /** Where to go on: the last event ID, or before any event the place where the hub said that the stream began. */
  #place = "";
  /** @type {{matchers: import("./matchers.js").Matcher[], token: string, startAfter: string} | null} */
  #request = null;
  /** Ends the connection there is. */
  #abort = new AbortController();
  #wasOpen = false;
  #openedAt = 0;
  #retryTimer = 0;
  #backoff = new Backoff();
  #watchdog = new Watchdog((silence_ms) => this.#died(silence_ms));

  /**
   * Opens the stream, in place of one that is open. It goes on after the last event seen.
   *
   * @param {{matchers: import("./matchers.js").Matcher[], token: string, startAfter: string}} request `startAfter`: where to
   *   begin when no event was seen: an event ID, `earliest`, or empty for now
   */
  open(request) {
    this.#release();
    // The place where other topics began is not where these do.
    if (!this.#request || !sameMatchers(this.#request.matchers, request.matchers)) this.#place = this.lastEventId;
    this.#request = request;
    this.#wasOpen = false;
    this.#backoff = new Backoff();
    this.#connect();
  }

  close() {
    this.#release();
    this.#become("closed");
  }

  /** Forgets what was seen, so that the next stream begins where its request says. */
  forgetPlace() {
    this.lastEventId = this.#place = "";
  }

  /** Whether it waits before it tries again. */
  get isWaiting() {
    return this.#retryTimer !== 0;
  }

  /** The network may be back, or the machine awake: does not wait any longer, and looks whether the connection lives. */
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
    // The same event would come again.
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

  /** The hub's own events come bare, and those that were published in an envelope: nobody can pass the one for the other. */
  #received({ type, data, lastEventId }) {
    if (lastEventId) this.lastEventId = this.#place = lastEventId;
    this.#backoff.succeeded();
    const said = parsed(data);
    if (type === "fanfare.gap") {
      this.gaps += 1;
      this.#tell("gap", said);
    } else if (type === "fanfare.end") {
      if (said.reason === "token-expired") this.#stop("The token has expired.", "expired");
    } else {
      this.#tell("update", Array.isArray(said.topics) ? said : bare(type, data, lastEventId));
    }
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

/** An event that came without an envelope, so not from the hub but from something before it: shown as it is. */
function bare(type, data, id) {
  return { id, topics: [], type, data, private: false, time_ms: Date.now() };
}

function inWords(time_ms) {
  const seconds = Math.round(time_ms / 1_000);
  if (seconds < 1) return "a moment";
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60).toLocaleString()} min`;
}
