/**
 * The hub's addresses: the one place that knows its paths and query parameters.
 *
 * They are derived from where this file came from, so that they hold wherever the page itself is, and a host name or path
 * prefix added by a proxy is kept.
 */
import { ALL_TOPICS, kindOf } from "./matchers.js";

/** What the hub is reached under; ends in a slash. */
const hubUrl = new URL("..", import.meta.url);

const MERCURE = ".well-known/mercure";
/** Mercure's newer revision has a parameter for each kind of matcher; the older one has `topic` for names and templates. */
const MERCURE_PARAMETERS = {
  urlpattern: { exact: "match", urlpattern: "match_urlpattern" },
  template: { exact: "topic", template: "topic" },
};

/**
 * The event stream of what `matchers` match. The topic API takes names; patterns are Mercure's.
 *
 * @param {import("./matchers.js").Matcher[]} matchers
 * @param {{envelope?: boolean, asksForPlace?: boolean}} [options] `envelope`: each update arrives as one unnamed event
 *   that holds topics, type, ID, data and time as JSON. `asksForPlace`: the answer says where the stream begins.
 */
export function streamUrl(matchers, { envelope, asksForPlace } = {}) {
  const query = [];
  const kind = kindOf(matchers);
  const alone = kind === "exact" && matchers.length === 1 && matchers[0].text !== ALL_TOPICS;
  const path = kind !== "exact" ? MERCURE : alone ? topicPath(matchers[0].text) : "topics";
  if (!alone) for (const { kind: own, text } of matchers) query.push([MERCURE_PARAMETERS[kind]?.[own] ?? "topic", text]);
  if (asksForPlace) query.push(["last_event_id", ""]);
  if (envelope) query.push(["envelope"]);
  return withQuery(new URL(path, hubUrl), query);
}

/**
 * Where to POST the data of an update.
 *
 * @param {{topic: string, alternates?: string[], type?: string, id?: string, retry?: string, isPrivate?: boolean}} update
 */
export function publishUrl({ topic, alternates = [], type, id, retry, isPrivate }) {
  const query = alternates.map((alternate) => ["topic", alternate]);
  if (type) query.push(["type", type]);
  if (id) query.push(["id", id]);
  if (retry) query.push(["retry", retry]);
  if (isPrivate) query.push(["private"]);
  return withQuery(new URL(topicPath(topic), hubUrl), query);
}

/**
 * A topic keeps its slashes, which read better than `%2F`; except where `.` or `..` would stand alone between them:
 * every URL parser, curl's included, resolves those away.
 */
function topicPath(topic) {
  const encoded = encodeURIComponent(topic);
  const hasDotSegment = topic.split("/").some((segment) => segment === "." || segment === "..");
  return `topics/${hasDotSegment ? encoded : encoded.replaceAll("%2F", "/")}`;
}

/** A parameter without a value is a flag, and is written without `=`. */
function withQuery(url, query) {
  const encode = (text) => encodeURIComponent(text).replaceAll("'", "%27").replaceAll("%2F", "/").replaceAll("%3A", ":");
  const pairs = query.map(([name, value]) => (value === undefined ? name : `${name}=${encode(value)}`));
  return pairs.length === 0 ? url.href : `${url.href}?${pairs.join("&")}`;
}
