/**
 * The code that does the same as the page, for people to copy: JavaScript that subscribes, and curl lines that
 * subscribe and publish. The code never contains a token: the curl lines have a variable instead.
 */
import { publishUrl, streamUrl } from "./hub.js";

/** The greatest length of the arguments that stay on the line of their call, in UTF-16 units. */
const SHORT_ADDRESS = 44;

/**
 * Returns the JavaScript that subscribes. An `EventSource` cannot send a header, and a token must not stand in a URL,
 * so the code takes the token from a cookie.
 *
 * @param {import("./matchers.js").Matcher[]} matchers
 * @param {string} eventType a type to listen to besides `message`; may be empty
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

/** Returns the curl line that subscribes. Without `-N`, curl would hold arriving events back in a buffer. */
export function curlSubscribe(matchers, hasToken) {
  return `curl -N ${bearer(hasToken)}${quote(streamUrl(matchers))}`;
}

/** @param {import("./publish.js").Draft} draft */
export function curlPublish(draft, hasToken) {
  // With `-d`, curl would read data that begins with `@` as the name of a file.
  const option = draft.data.startsWith("@") ? "--data-raw" : "-d";
  return `curl ${bearer(hasToken)}${option} ${quote(draft.data)} ${quote(publishUrl(draft))}`;
}

/**
 * Puts `code` into `place`. Each line becomes an element, so that the style sheet can indent a line that is wrapped.
 */
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

/** Quotes a text for a POSIX shell, in which only `'` is special between single quotes. */
function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
