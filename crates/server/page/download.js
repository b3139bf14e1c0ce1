/**
 * Saves the data of an event as a file, byte for byte.
 */

/** The characters that are replaced in a file's name: all but letters and digits, since names come from strangers. */
const FORBIDDEN = /[^\p{L}\p{N}]+/gu;
const MAX_NAME = 80;
/** The time for which the file stays available: a browser may begin to read it a little after the click. */
const KEPT_MS = 60_000;

/**
 * @param {string} data
 * @param {string} name the name of the file; forbidden characters in it are replaced
 */
export function download(data, name) {
  // The type must not be one that a browser would show: the file would then run as a page of this origin.
  const url = URL.createObjectURL(new Blob([data], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name.replace(FORBIDDEN, "-").replace(/^-|-$/g, "").slice(0, MAX_NAME) || "event"}.${/^\s*[[{]/.test(data) ? "json" : "txt"}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
