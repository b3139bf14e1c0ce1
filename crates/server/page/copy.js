/**
 * Buttons that copy: the text of the element that a button names with `data-copy`, or the data of an event.
 */
import { announce } from "./announcer.js";

const CONFIRM_MS = 1_600;

export function wireCopyButtons() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", () => copyFrom(button, document.getElementById(button.dataset.copy).textContent));
  }
}

/** Copies `text`, and shows on the button that was pressed that it was copied. */
export async function copyFrom(button, text) {
  if (!(await copy(text))) return announce("This browser does not let the page copy");
  announce("Copied");
  button.classList.add("is-done");
  setTimeout(() => button.classList.remove("is-done"), CONFIRM_MS);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByEvent(text);
  }
}

/**
 * Copies `text` by a `copy` event. Over plain HTTP from another machine, browsers give a page no clipboard, except in
 * such an event.
 */
function copyByEvent(text) {
  const put = (event) => {
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  };
  document.addEventListener("copy", put);
  const isCopied = document.execCommand("copy");
  document.removeEventListener("copy", put);
  return isCopied;
}
