/**
 * One connection of the page's stream: sends the request, and reads the answer until it ends.
 */
import { EventStreamParser } from "./event-stream.js";
import { Refusal } from "./refusal.js";

/**
 * Reads the stream at `url` until it ends.
 *
 * The token and the last event ID are sent in headers and not in the URL, because proxies and servers write URLs into
 * logs.
 *
 * @param {string} url
 * @param {object} options
 * @param {string} options.token may be empty
 * @param {string} options.place the last event ID, after which the stream continues; may be empty
 * @param {AbortSignal} options.signal
 * @param {(place: string) => void} options.onOpen called with the event ID at which the stream begins, or an empty text
 *   if the hub names none
 * @param {() => void} options.onBytes called when bytes have arrived, even if they are only a comment
 * @param {(event: import("./event-stream.js").StreamEvent) => void} options.onEvent
 * @param {(retry_ms: number) => void} options.onRetry called with the reconnection time that the hub has sent
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

/**
 * Returns the UTF-8 bytes of `text`, each as one character. An event ID is sent in UTF-8, but `fetch` takes a header
 * only as a text of such characters, up to U+00FF.
 */
function bytesOf(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

function textOf(bytes) {
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

/**
 * Returns the event ID at which the hub says that the stream begins. Each revision of Mercure has its own header for
 * it.
 */
function placeOf({ headers }) {
  return textOf(headers.get("mercure-last-event-id") ?? headers.get("last-event-id") ?? "");
}

function isEventStream({ headers }) {
  const [essence] = (headers.get("content-type") ?? "").split(";");
  return essence.trim().toLowerCase() === "text/event-stream";
}
