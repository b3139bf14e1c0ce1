/**
 * The topics of one's choice: a chip for each, and a field to add one.
 */
import { ALL_TOPICS } from "./hub.js";
import { hueOf } from "./event-row.js";

export class TopicChips {
  #list;
  #field;
  #onChange;
  /** @type {string[]} */
  #topics = [];

  /**
   * @param {HTMLUListElement} list where the chips go
   * @param {HTMLFormElement} form with a field named `topic`
   * @param {() => void} onChange called when the choice is another
   */
  constructor(list, form, onChange) {
    this.#list = list;
    this.#field = form.elements.topic;
    this.#onChange = onChange;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.add(this.#field.value.trim());
      this.#field.value = "";
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && this.#field.value === "" && !event.repeat) this.remove(this.#topics.at(-1));
    });
  }

  get topics() {
    return this.#topics;
  }

  /** Sets the whole choice, without calling `onChange`. */
  set topics(topics) {
    this.#topics = [...new Set(topics)];
    this.#show();
  }

  has(topic) {
    return this.#topics.includes(topic) || this.#topics.includes(ALL_TOPICS);
  }

  add(topic) {
    if (topic === "" || this.#topics.includes(topic)) return;
    this.topics = [...this.#topics, topic];
    this.#onChange();
  }

  remove(topic) {
    if (!this.#topics.includes(topic)) return;
    this.topics = this.#topics.filter((other) => other !== topic);
    this.#onChange();
  }

  #show() {
    this.#list.replaceChildren(...this.#topics.map((topic) => this.#chip(topic)));
  }

  #chip(topic) {
    const chip = document.createElement("li");
    chip.className = "chip";
    chip.dataset.hue = hueOf(topic);
    const name = document.createElement("span");
    name.textContent = topic === ALL_TOPICS ? "* all topics" : topic;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.setAttribute("aria-label", `Unsubscribe from ${topic}`);
    remove.addEventListener("click", () => this.#removeAndMoveFocus(topic));
    chip.append(name, remove);
    return chip;
  }

  /** The focused button is about to vanish: its neighbour takes the focus, so that the keyboard stays where it was. */
  #removeAndMoveFocus(topic) {
    const place = this.#topics.indexOf(topic);
    this.remove(topic);
    const buttons = this.#list.querySelectorAll("button");
    (buttons[Math.min(place, buttons.length - 1)] ?? this.#field).focus();
  }
}
