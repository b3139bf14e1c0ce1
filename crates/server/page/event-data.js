/**
 * The data of an event. Its beginning is shown at once, and all of it when somebody opens it. Buttons copy and download
 * the data exactly as it came.
 *
 * If a megabyte of text is put into the document at once, the page freezes. So large data is put in only when somebody
 * opens it, for a few milliseconds in each frame, and in blocks that the browser lays out only when they are in sight.
 */
import { copyFrom } from "./copy.js";
import { download } from "./download.js";
import { element } from "./element.js";
import { printJson } from "./json-print.js";

/** The number of lines of long data that are shown before "Show all" is pressed. */
const FOLDED_LINES = 12;
const FOLDED_LENGTH = 1_200;
/** The longest data that is put into the document as a whole, and only hidden while it is folded, in UTF-16 units. */
const SMALL_LENGTH = 20_000;
/** The longest data that is coloured, in UTF-16 units: each coloured part takes an element of its own. */
const COLOURED_LENGTH = 200_000;
/** The greatest length of data that is put into the document for one event, in UTF-16 units. */
const MAX_SHOWN = 8_000_000;
/** The longest time in one frame for which opened data is put into the document. */
const SLICE_MS = 8;
/** The number of lines after which a block of data ends. It may end earlier, after `BLOCK_LENGTH` UTF-16 units. */
const BLOCK_LINES = 100;
const BLOCK_LENGTH = 8_192;

/** @param {import("./stream.js").Update} update */
export function dataCell(update) {
  const { data } = update;
  const made = element("div", "data", { role: "cell" });
  const text = element("pre");
  made.append(text);
  if (data === "") {
    text.append(element("span", "empty", {}, "no data"));
    return made;
  }
  if (data.length > SMALL_LENGTH) showLarge(made, text, data);
  else showSmall(made, text, data);
  made.append(actions(update));
  return made;
}

function showSmall(made, text, data) {
  text.append(...nodesOf(piecesOf(data), true));
  const shown = text.textContent;
  if (shown.length <= FOLDED_LENGTH && shown.split("\n", FOLDED_LINES + 1).length <= FOLDED_LINES) return;
  made.classList.add("is-folded");
  made.append(foldButton("Show all", (isOpen) => made.classList.toggle("is-folded", !isOpen)));
}

function showLarge(made, text, data) {
  const beginning = () => text.replaceChildren(...nodesOf(beginningOf(piecesOf(data)), true));
  let filling = null;
  beginning();
  made.classList.add("is-folded", "is-large");
  const size = (data.length / 1_000).toLocaleString(undefined, { maximumFractionDigits: 0 });
  const note = element("p", "cut", { hidden: "" }, "The rest is too long to show. Copy or download it.");
  const toggle = (isOpen) => {
    filling?.stop();
    made.classList.toggle("is-folded", !isOpen);
    note.hidden = true;
    if (isOpen) {
      text.tabIndex = 0; // It scrolls, so the keyboard must reach it.
      filling = new Filling(text, data, () => (note.hidden = false));
    } else {
      text.removeAttribute("tabindex");
      beginning();
    }
  };
  made.append(note, foldButton(`Show all ${size} thousand characters`, toggle));
}

function foldButton(label, onToggle) {
  const button = element("button", "fold", { type: "button", "aria-expanded": "false", tabindex: "-1" }, label);
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(isOpen));
    button.textContent = isOpen ? "Show less" : label;
    onToggle(isOpen);
  });
  return button;
}

function actions({ data, id, topics }) {
  const made = element("div", "actions");
  const named = (className, label) => element("button", className, { type: "button", tabindex: "-1", "aria-label": `${label} the data of ${id}` });
  const copy = named("copy", "Copy");
  copy.addEventListener("click", () => copyFrom(copy, data));
  const save = named("save", "Download");
  save.addEventListener("click", () => download(data, `${topics[0] ?? ""} ${id}`));
  made.append(copy, save);
  return made;
}

/** Puts the whole data of an event into an element, a part in each frame. */
class Filling {
  #place;
  #pieces;
  #isColoured;
  #onCut;
  #isStopped = false;
  #block = null;
  #lines = 0;
  #length = 0;
  #shown = 0;

  constructor(place, data, onCut) {
    this.#place = place;
    this.#pieces = cutPieces(piecesOf(data));
    this.#isColoured = data.length <= COLOURED_LENGTH;
    this.#onCut = onCut;
    place.replaceChildren();
    place.setAttribute("aria-busy", "true");
    this.#goOn();
  }

  stop() {
    this.#isStopped = true;
    this.#place.removeAttribute("aria-busy");
  }

  #goOn() {
    if (this.#isStopped) return;
    const end = performance.now() + SLICE_MS;
    let waiting = [];
    const put = () => {
      this.#block.append(...nodesOf(waiting, this.#isColoured));
      waiting = [];
    };
    do {
      const { done, value: piece } = this.#pieces.next();
      if (done || this.#shown > MAX_SHOWN) {
        if (!done) this.#onCut();
        if (this.#block) put();
        return this.stop();
      }
      if (!this.#block || this.#lines >= BLOCK_LINES || this.#length >= BLOCK_LENGTH) {
        if (this.#block) put();
        this.#block = element("span", "block");
        this.#place.append(this.#block);
        this.#lines = this.#length = 0;
      }
      waiting.push(piece);
      this.#length += piece.text.length;
      this.#shown += piece.text.length;
      if (piece.text.includes("\n")) this.#lines += 1;
    } while (performance.now() < end);
    put();
    // The list may have dropped the row meanwhile; then the work stops.
    requestAnimationFrame(() => (this.#place.isConnected ? this.#goOn() : this.stop()));
  }
}

function piecesOf(data) {
  return printJson(data) ?? [{ kind: "mark", text: data }];
}

/** Cuts the pieces of text that are longer than a block. */
function* cutPieces(pieces) {
  for (const { kind, text } of pieces) {
    for (let start = 0; start < text.length; ) {
      const end = endOfCut(text, start + BLOCK_LENGTH);
      yield { kind, text: text.slice(start, end) };
      start = end;
    }
  }
}

/** Returns `end`, or the next index if a cut at `end` would split a character of two UTF-16 units. */
function endOfCut(text, end) {
  return /[\uDC00-\uDFFF]/.test(text[end] ?? "") ? end + 1 : end;
}

function beginningOf(pieces) {
  const taken = [];
  let lines = 0;
  let length = 0;
  for (const { kind, text } of pieces) {
    const rest = FOLDED_LENGTH - length;
    taken.push({ kind, text: text.length > rest ? text.slice(0, endOfCut(text, rest)) : text });
    length += text.length;
    if (text.includes("\n")) lines += 1;
    if (length >= FOLDED_LENGTH || lines > FOLDED_LINES) break;
  }
  return taken;
}

/** Returns texts and elements for `pieces`. Neighbouring pieces that need no colour become one text. */
function nodesOf(pieces, isColoured) {
  const nodes = [];
  let plain = "";
  for (const { kind, text } of pieces) {
    if (kind === "mark" || !isColoured) {
      plain += text;
      continue;
    }
    if (plain) nodes.push(plain);
    plain = "";
    nodes.push(element("span", `json-${kind}`, {}, text));
  }
  if (plain) nodes.push(plain);
  return nodes;
}
