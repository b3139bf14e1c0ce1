/**
 * Says something to those who hear the page. The list itself is silent: it would never stop talking.
 *
 * @param {string} text
 */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
