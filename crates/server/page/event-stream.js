/**
 * The parser of event streams. It follows the standard: WHATWG HTML, 9.2.5 and 9.2.6.
 *
 * A browser's own `EventSource` cannot send a header, so a token would have to stand in the URL. So the page uses
 * `fetch`, and this parser reads the answer. The events do not depend on how the text is cut into pieces.
 */

/** The longest line or data of an event, in UTF-16 units. A longer one ends the stream with an error. */
export const MAX_EVENT_LENGTH = 64_000_000;

/** The end of a line. A CR at the end of a piece of text is one too: no event waits for the next piece. */
const LINE_END = /\r\n?|\n/g;

/**
 * @typedef {object} StreamEvent
 * @property {string} type `message` unless the stream says otherwise
 * @property {string} data
 * @property {string} lastEventId
 */

export class EventStreamParser {
  /** The ID of the last block that ended. A client sends it to continue the stream after this block. */
  lastEventId;
  /** The last value of `retry` in milliseconds, or `null` if the stream has not sent one. */
  reconnectionTime = null;

  #onEvent;
  #maxLength;
  /** The beginning of a line whose end has not arrived. */
  #line = "";
  /** True if the last character was a CR: an LF directly after it belongs to the same line end. */
  #afterCr = false;
  #data = "";
  #hasData = false;
  #type = "";
  #id;

  /**
   * @param {(event: StreamEvent) => void} onEvent
   * @param {{lastEventId?: string, maxLength?: number}} [options] `lastEventId`: the last event ID of the previous
   *   connection; it stays valid until the stream sends an ID
   */
  constructor(onEvent, { lastEventId = "", maxLength = MAX_EVENT_LENGTH } = {}) {
    this.#onEvent = onEvent;
    this.#maxLength = maxLength;
    this.lastEventId = this.#id = lastEventId;
  }

  /**
   * Reads the next piece of the stream, which a `TextDecoder` has decoded (it also removes the byte order mark).
   *
   * @throws {RangeError} when an event is too long
   */
  push(text) {
    if (text === "") return;
    LINE_END.lastIndex = this.#afterCr && text.startsWith("\n") ? 1 : 0;
    this.#afterCr = text.endsWith("\r");
    for (;;) {
      const start = LINE_END.lastIndex;
      const end = LINE_END.exec(text);
      this.#line += text.slice(start, end ? end.index : text.length);
      this.#check(this.#line.length);
      if (!end) return;
      const line = this.#line;
      this.#line = "";
      this.#take(line);
    }
  }

  #take(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return; // A comment.
    if (colon < 0) return this.#field(line, "");
    this.#field(line.slice(0, colon), line.slice(colon + (line[colon + 1] === " " ? 2 : 1)));
  }

  #field(name, value) {
    switch (name) {
      case "data":
        this.#data += `${value}\n`;
        this.#hasData = true;
        return this.#check(this.#data.length);
      case "event":
        return void (this.#type = value);
      case "id":
        if (!value.includes("\0")) this.#id = value;
        return;
      case "retry":
        if (/^[0-9]+$/.test(value)) this.reconnectionTime = Number(value);
    }
  }

  /**
   * Ends a block at a blank line. The block's ID becomes the last event ID in any case, but only a block with data is
   * an event.
   */
  #dispatch() {
    this.lastEventId = this.#id;
    const [type, data, hasData] = [this.#type, this.#data, this.#hasData];
    this.#type = this.#data = "";
    this.#hasData = false;
    if (hasData) this.#onEvent({ type: type || "message", data: data.slice(0, -1), lastEventId: this.lastEventId });
  }

  #check(length) {
    if (length > this.#maxLength) throw new RangeError(`an event is longer than ${this.#maxLength.toLocaleString("en")} characters`);
  }
}
