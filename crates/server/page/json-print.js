/**
 * Lays out JSON so that people can read it. It is made in pieces, which can be coloured, and only as many pieces as the
 * caller asks for.
 *
 * The tokens of the text itself are printed, not values that were parsed from them. So a number of 20 digits, `1.0` or
 * a repeated key is shown as it was sent. An object or array that fits on a line is on one line.
 */

const LINE_WIDTH = 72;
const INDENT = "  ";
/** The greatest depth of JSON that is laid out. JSON with deeper nesting is shown as it was sent. */
const MAX_DEPTH = 64;
/** The longest JSON that is laid out, in UTF-16 units. It is enough for each text of a megabyte of UTF-8. */
const MAX_LENGTH = 2_000_000;

/** @typedef {{kind: "key" | "string" | "number" | "word" | "mark", text: string}} Piece */

/**
 * @param {string} text
 * @returns {Generator<Piece> | null} `null`: the text is not a JSON object or array, or it is too large or too deep
 */
export function printJson(text) {
  if (text.length > MAX_LENGTH || !/^\s*[[{]/.test(text) || !isJson(text) || isTooDeep(text)) return null;
  return print(new Tokens(text));
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns true if valid JSON is nested too deep. It looks only at each character, since it is called for every event.
 */
function isTooDeep(text) {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at) - 1;
    else if (isClose(character)) depth -= 1;
    else if (isOpen(character) && ++depth > MAX_DEPTH) return true;
  }
  return false;
}

/** Lays out valid JSON. An object or array is on one line if it fits, and then so is everything in it. */
function* print(tokens) {
  /** The objects and arrays that have begun and not ended. */
  const open = [];
  for (let token = tokens.take(); token !== undefined; token = tokens.take()) {
    const top = open.at(-1);
    if (isOpen(token)) {
      if (isClose(tokens.peek(0))) {
        yield mark(token + tokens.take());
        continue;
      }
      const indent = INDENT.repeat(open.length);
      const oneLine = top?.oneLine || indent.length + tokens.widthOfOpened(LINE_WIDTH - indent.length) <= LINE_WIDTH;
      const pad = oneLine ? (token === "{" ? " " : "") : undefined;
      open.push({ oneLine, pad, indent, isObject: token === "{", expectsKey: token === "{" });
      yield mark(token + (pad ?? `\n${indent}${INDENT}`));
    } else if (isClose(token)) {
      open.pop();
      yield mark((top.pad ?? `\n${top.indent}`) + token);
    } else if (token === ",") {
      top.expectsKey = top.isObject;
      yield mark(top.oneLine ? ", " : `,\n${top.indent}${INDENT}`);
    } else if (token === ":") {
      top.expectsKey = false;
      yield mark(": ");
    } else {
      yield { kind: top.expectsKey ? "key" : scalarKind(token), text: token };
    }
  }
}

function isOpen(token) {
  return token === "{" || token === "[";
}

function isClose(token) {
  return token === "}" || token === "]";
}

function mark(text) {
  return { kind: "mark", text };
}

function scalarKind(token) {
  if (token.startsWith('"')) return "string";
  return /^[-\d]/.test(token) ? "number" : "word";
}

const WORD = /[^\s"[\]{},:]+/y;

/** The tokens of valid JSON. Each is read from the text only once, even if the caller looks ahead. */
class Tokens {
  #text;
  #at = 0;
  /** The tokens that were looked at and not taken yet. */
  #ahead = [];

  constructor(text) {
    this.#text = text;
  }

  take() {
    return this.#ahead.length > 0 ? this.#ahead.shift() : this.#read();
  }

  /** @returns {string | undefined} the token at `place`; `take` would return the token at place 0 */
  peek(place) {
    while (this.#ahead.length <= place) {
      const token = this.#read();
      if (token === undefined) return undefined;
      this.#ahead.push(token);
    }
    return this.#ahead[place];
  }

  /**
   * Returns the length of the object or array that has just begun, if it is on one line. Stops measuring beyond
   * `limit`.
   */
  widthOfOpened(limit) {
    let width = 2;
    for (let place = 0, depth = 1; depth > 0 && width <= limit; place += 1) {
      const token = this.peek(place);
      if (isClose(token)) depth -= 1;
      else if (isOpen(token)) {
        depth += 1;
        width += 2; // Both brackets.
      } else if (token !== ",") width += token === ":" ? 2 : token.length;
      // Each member needs two more characters, for what stands between it and the next member.
      if (token === "," || (depth > 0 && !isOpen(token) && isClose(this.peek(place + 1)))) width += 2;
    }
    return width;
  }

  #read() {
    while (isSpace(this.#text[this.#at])) this.#at += 1;
    const start = this.#at;
    if (start === this.#text.length) return undefined;
    this.#at = this.#endOf(start);
    return this.#text.slice(start, this.#at);
  }

  #endOf(start) {
    if (this.#text[start] === '"') return endOfString(this.#text, start);
    WORD.lastIndex = start;
    return WORD.test(this.#text) ? WORD.lastIndex : start + 1;
  }
}

function isSpace(character) {
  return character === " " || character === "\n" || character === "\r" || character === "\t";
}

/** Returns the index after the string whose opening quotation mark is at `start`. */
function endOfString(text, start) {
  let quote = start;
  for (;;) {
    quote = text.indexOf('"', quote + 1);
    let before = quote - 1;
    while (text[before] === "\\") before -= 1;
    if ((quote - before) % 2 === 1) return quote + 1; // An even number of backslashes: they escape each other.
  }
}
