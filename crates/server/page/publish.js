/**
 * The form that publishes.
 */
import { publishUrl } from "./hub.js";
import { problemOf } from "./refusal.js";

const PATIENCE_MS = 10_000;

/**
 * @typedef {object} Draft what the form holds
 * @property {string} topic
 * @property {string} type
 * @property {string} id
 * @property {boolean} isPrivate
 * @property {string} data
 */

export class PublishForm {
  #form;
  #answer;
  #readToken;
  #onPublished;

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement} answer where the hub's answer is told; a live region
   * @param {object} context
   * @param {() => string} context.readToken
   * @param {(draft: Draft) => void} context.onEdit
   * @param {(draft: Draft) => void} context.onPublished
   */
  constructor(form, answer, { readToken, onEdit, onPublished }) {
    this.#form = form;
    this.#answer = answer;
    this.#readToken = readToken;
    this.#onPublished = onPublished;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#publish();
    });
    form.addEventListener("input", () => onEdit(this.draft));
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }

  /** @returns {Draft} */
  get draft() {
    const { topic, type, id, isPrivate, data } = this.#form.elements;
    return { topic: topic.value.trim(), type: type.value.trim(), id: id.value.trim(), isPrivate: isPrivate.checked, data: data.value };
  }

  async #publish() {
    const draft = this.draft;
    const began = performance.now();
    this.#say("busy", "Publishing…");
    try {
      const response = await post(draft, this.#readToken());
      if (!response.ok) return this.#say("bad", await problemOf(response));
      const id = (await response.text()).trim();
      this.#say("good", "Published as ", id, `in ${Math.max(1, Math.round(performance.now() - began))} ms`);
      this.#onPublished(draft);
    } catch {
      this.#say("bad", "The hub does not answer.");
    }
  }

  #say(mood, text, id, rest) {
    this.#answer.dataset.mood = mood;
    this.#answer.replaceChildren(text);
    if (!id) return;
    const code = document.createElement("code");
    code.textContent = id;
    this.#answer.append(code, ` ${rest}`);
  }
}

function post(draft, token) {
  return fetch(publishUrl(draft), {
    method: "POST",
    body: draft.data,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
}
