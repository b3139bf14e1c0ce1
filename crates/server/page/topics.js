/**
 * The topics that the person has chosen. Each has a chip, and there is a field to add another, as a name or as a
 * pattern.
 */
import { hueOf } from "./event-row.js";
import { ALL_TOPICS, KINDS, looksLike, matcher, objection, sameMatcher } from "./matchers.js";

/** The greatest number of chips that do not scroll. More chips scroll, so that the events below stay in sight. */
const FEW_CHIPS = 20;

export class TopicChips {
  #list;
  #field;
  #kind;
  #note;
  #onChange;
  /** @type {import("./matchers.js").Matcher[]} */
  #matchers = [];

  /**
   * @param {HTMLUListElement} list the element that holds the chips
   * @param {HTMLFormElement} form the form, which has fields named `topic` and `kind`
   * @param {HTMLElement} note the element that shows why a topic was not added
   * @param {(added?: import("./matchers.js").Matcher) => void} onChange called when the choice has changed
   */
  constructor(list, form, note, onChange) {
    this.#list = list;
    this.#field = form.elements.topic;
    this.#kind = form.elements.kind;
    this.#note = note;
    this.#onChange = onChange;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#field.value.trim();
      if (this.add(matcher(this.#kind.value, text))) this.#field.value = "";
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && this.#field.value === "" && !event.repeat) this.remove(this.#matchers.at(-1));
    });
  }

  get matchers() {
    return this.#matchers;
  }

  /** Sets all chosen matchers, without calling `onChange`. */
  set matchers(matchers) {
    this.#matchers = matchers.filter((one, place) => matchers.findIndex((other) => sameMatcher(one, other)) === place);
    this.#show();
  }

  /**
   * Returns true if updates of `topic` may arrive. Patterns are not compared with the topic: if there is one, it may
   * match.
   */
  mayHear(topic) {
    return this.#matchers.some(({ kind, text }) => kind !== "exact" || text === topic || text === ALL_TOPICS);
  }

  /** @returns {boolean} true if the matcher is chosen after the call */
  add(added) {
    if (added.text === "") return false;
    if (this.#matchers.some((other) => sameMatcher(other, added))) return true;
    const why = objection(added, this.#matchers);
    this.say(why);
    if (why) return false;
    this.matchers = [...this.#matchers, added];
    this.#list.lastElementChild.scrollIntoView({ block: "nearest" });
    if (added.kind === "exact") this.#offerPattern(added.text);
    this.#onChange(added);
    return true;
  }

  remove(removed) {
    if (!removed || !this.#matchers.some((one) => sameMatcher(one, removed))) return;
    this.matchers = this.#matchers.filter((other) => !sameMatcher(other, removed));
    this.say("");
    this.#onChange();
  }

  /** Shows a text below the field; an empty text removes it. */
  say(text, ...more) {
    this.#note.hidden = text === "";
    this.#note.replaceChildren(text, ...more);
  }

  /**
   * Offers to match an exact topic as a pattern if it looks like one. Otherwise the person would wait for events that
   * never come.
   */
  #offerPattern(text) {
    const kind = looksLike(text);
    if (!kind) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = `Match it as a ${KINDS[kind].label}`;
    button.addEventListener("click", () => {
      this.matchers = this.#matchers.filter((other) => !sameMatcher(other, { kind: "exact", text }));
      if (!this.add(matcher(kind, text))) this.#onChange();
      this.#field.focus();
    });
    this.say(`“${text}” is compared letter by letter. `, button);
  }

  #show() {
    this.#list.replaceChildren(...this.#matchers.map((matcher) => this.#chip(matcher)));
    this.#list.classList.toggle("is-many", this.#matchers.length > FEW_CHIPS);
  }

  #chip(matcher) {
    const { kind, text } = matcher;
    const chip = document.createElement("li");
    chip.className = "chip";
    chip.dataset.hue = hueOf(text);
    chip.title = text;
    const name = document.createElement("span");
    name.textContent = text === ALL_TOPICS ? "* all topics" : text;
    if (kind !== "exact") {
      const label = document.createElement("small");
      label.textContent = KINDS[kind].label;
      name.prepend(label, " ");
    }
    const remove = document.createElement("button");
    remove.type = "button";
    remove.setAttribute("aria-label", `Unsubscribe from ${text}`);
    remove.addEventListener("click", () => this.#removeAndMoveFocus(matcher));
    chip.append(name, remove);
    return chip;
  }

  /**
   * Removes a topic whose button has the focus. The focus moves to the next button, so that the keyboard stays in the
   * list.
   */
  #removeAndMoveFocus(matcher) {
    const place = this.#matchers.findIndex((other) => sameMatcher(other, matcher));
    this.remove(matcher);
    const buttons = this.#list.querySelectorAll("button");
    (buttons[Math.min(place, buttons.length - 1)] ?? this.#field).focus();
  }
}
