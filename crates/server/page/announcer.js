/**
 * Tells `text` to people who use a screen reader. The list of events itself is not announced, since a screen reader
 * would never stop talking.
 *
 * @param {string} text
 */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
