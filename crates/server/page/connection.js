/**
 * One connection of the page's stream: the request, and reading what comes until the end.
 */
import { EventStreamParser } from "./event-stream.js";
import { Refusal } from "./refusal.js";

/**
 * Reads the stream at `url` until it ends.
 *
 * The token and the place go into headers, so that neither stands in an address, which proxies and servers write into logs.
 *
 * @param {string} url
 * @param {object} options
 * @param {string} options.token may be empty
 * @param {string} options.place the event ID to go on after; may be empty
 * @param {AbortSignal} options.signal
 * @param {(place: string) => void} options.onOpen told where the stream begins, if the hub says so
 * @param {() => void} options.onBytes something came, if only a comment
 * @param {(event: import("./event-stream.js").StreamEvent) => void} options.onEvent
 * @param {(retry_ms: number) => void} options.onRetry the hub's own reconnection time
 * @throws {Refusal} when the answer is not an event stream
 * @throws {RangeError} when an event is too long
 * @throws {Error} when the connection fails
 */
export async function follow(url, { token, place, signal, onOpen, onBytes, onEvent, onRetry }) {
  const response = await fetch(url, { headers: headersOf(token, place), cache: "no-store", signal });
  if (response.status !== 200 || !isEventStream(response)) throw await Refusal.of(response);
  onBytes();
  onOpen(placeOf(response));
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  const parser = new EventStreamParser((event) => signal.aborted || onEvent(event), { lastEventId: place });
  for (;;) {
    const { done, value } = await reader.read();
    if (done || signal.aborted) return;
    onBytes();
    parser.push(decoder.decode(value, { stream: true }));
    if (parser.reconnectionTime !== null) onRetry(parser.reconnectionTime);
  }
}

function headersOf(token, place) {
  const headers = { accept: "text/event-stream" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (place) headers["last-event-id"] = bytesOf(place);
  return headers;
}

/** A header holds bytes. `fetch` writes them as characters up to U+00FF, and an event ID travels in UTF-8. */
function bytesOf(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

function textOf(bytes) {
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

/** Where the hub says that the stream begins: under the name of either revision of Mercure. */
function placeOf({ headers }) {
  return textOf(headers.get("mercure-last-event-id") ?? headers.get("last-event-id") ?? "");
}

function isEventStream({ headers }) {
  const [essence] = (headers.get("content-type") ?? "").split(";");
  return essence.trim().toLowerCase() === "text/event-stream";
}
