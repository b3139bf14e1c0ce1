/**
 * Saves the data of an event as a file, byte for byte.
 */

/** What may stand in a file's name; data is a stranger's, and so are topics and IDs. */
const FORBIDDEN = /[^\p{L}\p{N}]+/gu;
const MAX_NAME = 80;
/** A browser may begin to read a little after the click. */
const KEPT_MS = 60_000;

/**
 * @param {string} data
 * @param {string} name what it is called, in any characters
 */
export function download(data, name) {
  // Never of a type that a browser would show: it would run in the page's own origin.
  const url = URL.createObjectURL(new Blob([data], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name.replace(FORBIDDEN, "-").replace(/^-|-$/g, "").slice(0, MAX_NAME) || "event"}.${/^\s*[[{]/.test(data) ? "json" : "txt"}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
