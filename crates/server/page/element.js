/**
 * Makes an element. Its text and its attributes are never read as markup, even if they come from strangers.
 */
export function element(tag, className = "", attributes = {}, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
