/**
 * The form that publishes.
 */
import { publishUrl } from "./hub.js";
import { Refusal } from "./refusal.js";

const PATIENCE_MS = 10_000;

/**
 * @typedef {object} Draft the contents of the form's fields
 * @property {string} topic
 * @property {string[]} alternates other topics of the same update
 * @property {string} type
 * @property {string} id
 * @property {string} retry in milliseconds; the hub says what is wrong with it
 * @property {boolean} isPrivate
 * @property {string} data
 */

export class PublishForm {
  #form;
  #answer;
  #readToken;
  #onPublished;
  #onRefused;

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement} answer the element that shows the hub's answer; a live region
   * @param {object} context
   * @param {() => string} context.readToken
   * @param {(draft: Draft) => void} context.onEdit
   * @param {(draft: Draft) => void} context.onPublished
   * @param {(refusal: Refusal) => void} context.onRefused
   */
  constructor(form, answer, { readToken, onEdit, onPublished, onRefused }) {
    this.#form = form;
    this.#answer = answer;
    this.#readToken = readToken;
    this.#onPublished = onPublished;
    this.#onRefused = onRefused;
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
    const { topic, alternates, type, id, retry, isPrivate, data } = this.#form.elements;
    const lines = alternates.value.split("\n").map((line) => line.trim());
    return {
      topic: topic.value.trim(),
      alternates: lines.filter(Boolean),
      type: type.value.trim(),
      id: id.value.trim(),
      retry: retry.value.trim(),
      isPrivate: isPrivate.checked,
      data: data.value,
    };
  }

  async #publish() {
    const draft = this.draft;
    const began = performance.now();
    this.#say("busy", "Publishing…");
    try {
      const response = await post(draft, this.#readToken());
      if (!response.ok) return this.#refused(await Refusal.of(response));
      const id = (await response.text()).trim();
      this.#say("good", "Published as ", id, `in ${Math.max(1, Math.round(performance.now() - began))} ms`);
      this.#onPublished(draft);
    } catch {
      this.#say("bad", "The hub does not answer.");
    }
  }

  #refused(refusal) {
    this.#say("bad", refusal.message);
    this.#onRefused(refusal);
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
