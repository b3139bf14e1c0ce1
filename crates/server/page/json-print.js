/**
 * Lays JSON out for reading, in pieces that can be coloured, and no more of them at a time than are asked for.
 *
 * The text's own tokens are printed, never values parsed from them: a number of 20 digits, `1.0` or a repeated key is
 * shown as it was sent. What fits on a line stays on one.
 */

const LINE_WIDTH = 72;
const INDENT = "  ";
/** JSON that is nested deeper than this is shown as it was sent. */
const MAX_DEPTH = 64;
/** JSON that is longer than this, in UTF-16 units, is shown as it was sent. A megabyte of UTF-8 has at most as many units. */
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

/** Only looks at each character: this is done for every event. */
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

/** Prints valid JSON. A container is on one line if it fits, and then so is everything in it. */
function* print(tokens) {
  /** The containers that are open. */
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

/** The tokens of valid JSON, each read once, however far somebody looks ahead. */
class Tokens {
  #text;
  #at = 0;
  /** Those that were looked at and not taken. */
  #ahead = [];

  constructor(text) {
    this.#text = text;
  }

  take() {
    return this.#ahead.length > 0 ? this.#ahead.shift() : this.#read();
  }

  /** @returns {string | undefined} the token that `take` gives after `place` others */
  peek(place) {
    while (this.#ahead.length <= place) {
      const token = this.#read();
      if (token === undefined) return undefined;
      this.#ahead.push(token);
    }
    return this.#ahead[place];
  }

  /** How long the container that has just been opened is on one line; it is not looked at beyond `limit`. */
  widthOfOpened(limit) {
    let width = 2;
    for (let place = 0, depth = 1; depth > 0 && width <= limit; place += 1) {
      const token = this.peek(place);
      if (isClose(token)) depth -= 1;
      else if (isOpen(token)) {
        depth += 1;
        width += 2; // Both brackets.
      } else if (token !== ",") width += token === ":" ? 2 : token.length;
      // Each member counts two more, for what stands between it and the next.
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

/** Where the string ends whose quotation mark is at `start`. */
function endOfString(text, start) {
  let quote = start;
  for (;;) {
    quote = text.indexOf('"', quote + 1);
    let before = quote - 1;
    while (text[before] === "\\") before -= 1;
    if ((quote - before) % 2 === 1) return quote + 1; // An even number of backslashes: they escape each other.
  }
}
