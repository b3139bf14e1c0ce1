/**
 * Buttons that copy the text of the element they name with `data-copy`.
 */

const CONFIRM_MS = 1_600;

/** @param {(text: string) => void} announce */
export function wireCopyButtons(announce) {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", () => copy(document.getElementById(button.dataset.copy), button, announce));
  }
}

async function copy(source, button, announce) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    announce("Copied");
    button.classList.add("is-done");
    setTimeout(() => button.classList.remove("is-done"), CONFIRM_MS);
  } catch {
    // Over plain HTTP from another machine, browsers give a page no clipboard. Then the next best is a selection.
    getSelection().selectAllChildren(source);
    announce("Selected: copy it with Ctrl+C");
  }
}
