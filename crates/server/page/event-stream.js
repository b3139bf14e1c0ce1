/**
 * The format of event streams, read as the standard says: WHATWG HTML, 9.2.5 and 9.2.6.
 *
 * A browser's own `EventSource` cannot send a header, and so would have to put a token into the address. This parser stands
 * in its place behind `fetch`. What comes out does not depend on how the text is cut.
 */

/** A line, or the data of an event, that is longer ends the stream with an error, in UTF-16 units. The hub's own events are far shorter. */
export const MAX_EVENT_LENGTH = 64_000_000;

/** A CR ends its line at once, also as the last character of a piece: nobody waits for the next piece to see an event. */
const LINE_END = /\r\n?|\n/g;

/**
 * @typedef {object} StreamEvent
 * @property {string} type `message` unless the stream says otherwise
 * @property {string} data
 * @property {string} lastEventId
 */

export class EventStreamParser {
  /** The ID of the last block that ended; what a client sends to go on from there. */
  lastEventId;
  /** What `retry` said last, in milliseconds, or `null`. */
  reconnectionTime = null;

  #onEvent;
  #maxLength;
  /** The beginning of a line whose end has not come. */
  #line = "";
  /** The last character was a CR: a LF right behind it belongs to it. */
  #afterCr = false;
  #data = "";
  #hasData = false;
  #type = "";
  #id;

  /**
   * @param {(event: StreamEvent) => void} onEvent
   * @param {{lastEventId?: string, maxLength?: number}} [options] `lastEventId`: that of the connection before; a stream
   *   that sends none keeps it
   */
  constructor(onEvent, { lastEventId = "", maxLength = MAX_EVENT_LENGTH } = {}) {
    this.#onEvent = onEvent;
    this.#maxLength = maxLength;
    this.lastEventId = this.#id = lastEventId;
  }

  /**
   * Takes the next piece of the stream, decoded (a `TextDecoder` also takes the byte order mark away).
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

  /** A blank line: the ID counts in any case, an event is one with data only. */
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
