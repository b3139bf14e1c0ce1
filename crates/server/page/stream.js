/**
 * The page's one connection to the hub: an `EventSource`, what became of it, and where it stands.
 *
 * The browser reconnects by itself when a stream ends, and sends the last event ID. It gives up for good when the
 * answer is anything but an event stream (WHATWG HTML, 9.2.3: "fail the connection"); then this module finds out why,
 * and tries again itself if the reason may pass.
 */
import { streamUrl } from "./hub.js";
import { whyRefused } from "./refusal.js";

export const isSupported = typeof EventSource !== "undefined";

/** How long to wait before the first attempt of our own; doubles up to the limit. The browser's own wait is 3 to 5 s. */
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 30_000;

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
 * hub says about updates that it no longer has: `requested`, `resumed_from`, `reason`).
 */
export class Stream extends EventTarget {
  /** @type {"connecting" | "open" | "closed"} */
  state = "closed";
  reconnections = 0;
  /** @type {Date | null} */
  lastReconnection = null;
  /** The ID of the last event seen; kept over close and reopen, so that nothing in between is missed. */
  lastEventId = "";
  /** Why the stream is not open, when it is not by the user's wish. */
  trouble = "";

  #source = null;
  #request = null;
  #wasOpen = false;
  #retryTimer = 0;
  #retryWait = FIRST_RETRY_MS;

  /**
   * Opens the stream, in place of one that is open. It goes on after the last event seen.
   *
   * @param {{topics: string[], token: string, fromEarliest: boolean}} request
   */
  open(request) {
    this.#release();
    this.#request = request;
    this.#wasOpen = false;
    this.#retryWait = FIRST_RETRY_MS;
    this.#connect();
  }

  close() {
    this.#release();
    this.#become("closed");
  }

  #release() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#retryTimer);
  }

  #connect() {
    const { topics, token, fromEarliest } = this.#request;
    const cursor = this.lastEventId || (fromEarliest ? "earliest" : "");
    const url = streamUrl(topics, { cursor, token, envelope: true });
    const source = new EventSource(url);
    this.#source = source;
    this.#become("connecting");
    source.onopen = () => this.#opened();
    source.onmessage = (event) => this.#received(event);
    source.addEventListener("fanfare.gap", (event) => this.#gap(event));
    source.onerror = () => (source.readyState === EventSource.CLOSED ? this.#refused(source, url) : this.#lost());
  }

  #opened() {
    if (this.#wasOpen) {
      this.reconnections += 1;
      this.lastReconnection = new Date();
    }
    this.#wasOpen = true;
    this.#retryWait = FIRST_RETRY_MS;
    this.#become("open");
  }

  #lost() {
    this.#become("connecting", this.#wasOpen ? "The connection was lost. The browser is trying again." : "");
  }

  async #refused(source, url) {
    this.#become("connecting", "The browser gave up. Asking the hub why.");
    const { reason, mayPass } = await whyRefused(url);
    if (this.#source !== source) return; // Closed or reopened in the meantime.
    if (!mayPass) return this.#become("closed", reason);
    this.#become("connecting", `${reason} Trying again in ${Math.round(this.#retryWait / 1_000)} s.`);
    this.#retryTimer = setTimeout(() => this.#connect(), this.#retryWait);
    this.#retryWait = Math.min(2 * this.#retryWait, LAST_RETRY_MS);
  }

  #received(event) {
    if (event.lastEventId) this.lastEventId = event.lastEventId;
    this.#tell("update", JSON.parse(event.data));
  }

  #gap(event) {
    if (event.lastEventId) this.lastEventId = event.lastEventId;
    this.#tell("gap", JSON.parse(event.data));
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
