/**
 * The topics in the page's own URL, so that a person can store this URL and give it to others. A token is never part of
 * the URL.
 */
import { KINDS, matcher } from "./matchers.js";

/** @returns {import("./matchers.js").Matcher[]} */
export function matchersOfAddress() {
  const kinds = Object.keys(KINDS);
  const found = [];
  for (const [name, value] of new URLSearchParams(location.search)) {
    const kind = kinds.find((kind) => KINDS[kind].parameter === name);
    if (kind && value) found.push(matcher(kind, value));
  }
  return found;
}

/** @param {import("./matchers.js").Matcher[]} matchers */
export function putIntoAddress(matchers) {
  const query = matchers.map(({ kind, text }) => `${KINDS[kind].parameter}=${encodeURIComponent(text)}`).join("&");
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
}
