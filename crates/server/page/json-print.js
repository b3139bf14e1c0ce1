/**
 * Lays JSON out for reading, in pieces that can be coloured.
 *
 * The text's own tokens are printed, never values parsed from them: a number of 20 digits, `1.0` or a repeated key is
 * shown as it was sent. What fits on a line stays on one.
 */

const LINE_WIDTH = 72;
const INDENT = "  ";
/** Beyond this depth or length (in UTF-16 units) the text is shown as it is: it would not be read anyway. */
const MAX_DEPTH = 64;
const MAX_LENGTH = 20_000;

const TOKEN = /"(?:[^"\\]|\\.)*"|[^\s"[\]{},:]+|[[\]{},:]/g;

/**
 * @param {string} text
 * @returns {{kind: "key" | "string" | "number" | "word" | "mark", text: string}[] | null} `null`: the text is no JSON
 *   object or array, or too large
 */
export function printJson(text) {
  if (text.length > MAX_LENGTH || !/^\s*[[{]/.test(text) || !isJson(text)) return null;
  const tokens = text.match(TOKEN);
  const root = readValue(tokens, { at: 0 }, 0);
  if (!root) return null;
  const pieces = [];
  writeValue(root, "", pieces);
  return pieces;
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads one value of valid JSON. A node is a scalar's piece or a list of members; `width` is its length on one line. */
function readValue(tokens, cursor, depth) {
  const token = tokens[cursor.at++];
  if (token !== "{" && token !== "[") return { piece: scalar(token), width: token.length };
  if (depth === MAX_DEPTH) return null;
  const close = token === "{" ? "}" : "]";
  const members = [];
  let width = 2;
  while (tokens[cursor.at] !== close) {
    const key = token === "{" ? tokens[cursor.at] : undefined;
    if (key !== undefined) cursor.at += 2; // The key and its colon.
    const value = readValue(tokens, cursor, depth + 1);
    if (!value) return null;
    members.push({ key, value });
    width += (key === undefined ? 0 : key.length + 2) + value.width + 2;
    if (tokens[cursor.at] === ",") cursor.at += 1;
  }
  cursor.at += 1;
  return { open: token, close, members, width };
}

function scalar(token) {
  if (token.startsWith('"')) return { kind: "string", text: token };
  return { kind: /^[-\d]/.test(token) ? "number" : "word", text: token };
}

function writeValue(node, indent, pieces) {
  if (node.piece) return pieces.push(node.piece);
  const mark = (text) => pieces.push({ kind: "mark", text });
  if (node.members.length === 0) return mark(node.open + node.close);
  const oneLine = indent.length + node.width <= LINE_WIDTH;
  const inner = indent + INDENT;
  const pad = node.open === "{" ? " " : "";
  mark(node.open + (oneLine ? pad : `\n${inner}`));
  node.members.forEach(({ key, value }, place) => {
    if (place > 0) mark(oneLine ? ", " : `,\n${inner}`);
    if (key !== undefined) {
      pieces.push({ kind: "key", text: key });
      mark(": ");
    }
    writeValue(value, inner, pieces);
  });
  mark((oneLine ? pad : `\n${indent}`) + node.close);
}
