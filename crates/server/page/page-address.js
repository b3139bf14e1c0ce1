/**
 * The page's own address names the topics that it shows, so that it can be kept and passed on. A token never stands in it.
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
