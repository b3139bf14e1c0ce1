/**
 * One row of the event list. All data of an event is put into the document as text, never as markup.
 */
import { element } from "./element.js";
import { dataCell } from "./event-data.js";

const SHOWN_TOPICS = 3;
/** The number of colours that style.css has for topics. */
const HUES = 8;

const clockTime = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
});

/** @param {import("./stream.js").Update} update */
export function updateRow(update) {
  return row("event", [
    timeCell(update.time_ms),
    topicsCell(update),
    cell("type", update.type),
    cell("id", update.id, { title: update.id }),
    dataCell(update),
  ]);
}

const GAP_REASONS = {
  discarded: "The hub no longer holds the updates that followed.",
  unknown: "The hub does not know this ID.",
  "foreign-epoch": "This ID is from another log.",
  future: "This ID lies beyond the end of the log.",
  ambiguous: "Several updates have this ID.",
};

/** @param {{requested: string, resumed_from: string, reason: string}} gap */
export function gapRow(gap) {
  const said = element("div", "gap", { role: "cell" });
  const reason = GAP_REASONS[gap.reason] ?? "";
  said.append(element("strong", "", {}, `Gap: ${gap.reason}. `), `${reason} Asked for `, code(gap.requested), ", going on from ", code(gap.resumed_from), ".");
  return row("event is-gap", [timeCell(Date.now()), said]);
}

function row(className, cells) {
  const made = element("div", className, { role: "row", tabindex: "-1" });
  made.append(...cells);
  return made;
}

function cell(name, text, attributes) {
  return element("div", name, { role: "cell", ...attributes }, text);
}

function timeCell(time_ms) {
  const made = cell("time");
  const date = new Date(time_ms);
  made.append(element("time", "", { datetime: date.toISOString() }, clockTime.format(date)));
  return made;
}

function topicsCell(update) {
  const made = cell("topics", undefined, { title: update.topics.join("\n") });
  for (const topic of update.topics.slice(0, SHOWN_TOPICS)) {
    made.append(element("span", "topic", { "data-hue": hueOf(topic) }, topic));
  }
  const more = update.topics.length - SHOWN_TOPICS;
  if (more > 0) made.append(element("span", "more", {}, `+${more}`));
  if (update.private) made.append(element("span", "private", {}, "private"));
  return made;
}

/** Returns the number of a topic's colour. A name has the same colour in every list and on every visit. */
export function hueOf(topic) {
  let hash = 0;
  for (const character of topic) hash = (31 * hash + character.codePointAt(0)) >>> 0;
  return hash % HUES;
}

function code(text) {
  return element("code", "", {}, text);
}
