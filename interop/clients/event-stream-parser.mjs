/**
 * An event stream's parser, as a page's author writes one after reading the standard.
 */
export class EventStreamParser {
  #rest = "";
  #data = [];
  #type;
  #id;
  #onEvent;
  #onRetry;

  constructor({ onEvent, onRetry }) {
    this.#onEvent = onEvent;
    this.#onRetry = onRetry;
  }

  /** @param {string} text whatever has arrived */
  feed(text) {
    // A CR at the end may be half of a CR LF: it waits for what follows.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    if (line === "") return this.#dispatch();
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/su.exec(line);
    if (field === "data") this.#data.push(value ?? "");
    else if (field === "event") this.#type = value || undefined;
    else if (field === "id" && !value?.includes("\0")) this.#id = value ?? "";
    else if (field === "retry" && /^\d+$/.test(value)) this.#onRetry(Number(value));
  }

  #dispatch() {
    if (this.#data.length > 0) this.#onEvent({ event: this.#type, data: this.#data.join("\n"), id: this.#id });
    this.#data = [];
    this.#type = undefined;
  }
}
