/**
 * What the page does, as code to take away: the JavaScript that subscribes, and the curl lines that subscribe and
 * publish. A token is never written out: the lines name a variable in its place.
 */
import { publishUrl, streamUrl } from "./hub.js";

/** A longer address has a line of its own, in UTF-16 units. */
const SHORT_ADDRESS = 44;

/**
 * An `EventSource` cannot send a header, and an address is no place for a token: there it comes in a cookie.
 *
 * @param {import("./matchers.js").Matcher[]} matchers
 * @param {string} eventType one to listen to beside `message`; may be empty
 * @param {boolean} hasToken
 */
export function javascript(matchers, eventType, hasToken) {
  const address = JSON.stringify(streamUrl(matchers));
  const given = hasToken ? [address, "{ withCredentials: true }"] : [address];
  const isShort = given.join(", ").length <= SHORT_ADDRESS;
  const lines = [
    ...(hasToken ? ["// The token comes in the cookie mercureAuthorization, which your server sets."] : []),
    ...(isShort ? [`const source = new EventSource(${given.join(", ")});`] : ["const source = new EventSource(", ...given.map((line) => `  ${line},`), ");"]),
    "source.onmessage = (event) => console.log(event.data);",
  ];
  if (eventType && eventType !== "message") lines.push(listener(eventType, "log"));
  lines.push(listener("fanfare.gap", "warn"));
  if (hasToken) lines.push(listener("fanfare.end", "warn"));
  return lines.join("\n");
}

function listener(eventType, method) {
  return `source.addEventListener(${JSON.stringify(eventType)}, (event) => console.${method}(event.data));`;
}

/** `-N`: curl would otherwise keep what arrives in a buffer. */
export function curlSubscribe(matchers, hasToken) {
  return `curl -N ${bearer(hasToken)}${quote(streamUrl(matchers))}`;
}

/** @param {import("./publish.js").Draft} draft */
export function curlPublish(draft, hasToken) {
  // Data that begins with `@` would be taken for a file's name.
  const option = draft.data.startsWith("@") ? "--data-raw" : "-d";
  return `curl ${bearer(hasToken)}${option} ${quote(draft.data)} ${quote(publishUrl(draft))}`;
}

/** Puts `code` into `place`, each line an element, so that the style sheet can indent what goes on below. */
export function showCode(place, code) {
  const lines = code.split("\n").map((text, index, all) => {
    const line = document.createElement("span");
    line.className = "line";
    line.textContent = index < all.length - 1 ? `${text}\n` : text;
    return line;
  });
  place.replaceChildren(...lines);
}

function bearer(hasToken) {
  return hasToken ? '-H "Authorization: Bearer $TOKEN" ' : "";
}

/** Quotes for a POSIX shell, where nothing but `'` is special between single quotes. */
function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
