/**
 * The hub's URLs. Only this file knows the hub's paths and query parameters.
 *
 * The URLs are relative to the URL of this file. So they are right even if a proxy serves the hub under another host
 * name or a longer path.
 */
import { ALL_TOPICS, kindOf } from "./matchers.js";

/** The URL under which the hub's paths are; it ends in a slash. */
const hubUrl = new URL("..", import.meta.url);

const MERCURE = ".well-known/mercure";
/** The query parameters: the newer revision has one for each kind of matcher, the older one has only `topic`. */
const MERCURE_PARAMETERS = {
  urlpattern: { exact: "match", urlpattern: "match_urlpattern" },
  template: { exact: "topic", template: "topic" },
};

/**
 * Returns the URL of the event stream of the updates that `matchers` match. Names of topics alone use the topic API; a
 * URL Pattern or a URI Template uses Mercure's URL.
 *
 * @param {import("./matchers.js").Matcher[]} matchers
 * @param {{envelope?: boolean, asksForPlace?: boolean}} [options] `envelope`: each update arrives as one unnamed event
 *   that holds topics, type, ID, data and time as JSON. `asksForPlace`: a header of the answer names the event ID at
 *   which the stream begins.
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
 * Returns the URL to which the data of an update is sent by POST.
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
 * Returns the path of `topic` in the topic API. The topic's slashes are kept, since they read better than `%2F`. They
 * are encoded only if a part between them is `.` or `..`, because every URL parser, curl's included, would remove such
 * a part.
 */
function topicPath(topic) {
  const encoded = encodeURIComponent(topic);
  const hasDotSegment = topic.split("/").some((segment) => segment === "." || segment === "..");
  return `topics/${hasDotSegment ? encoded : encoded.replaceAll("%2F", "/")}`;
}

/** Returns `url` with a query. A parameter without a value is a flag, and is written without `=`. */
function withQuery(url, query) {
  const encode = (text) => encodeURIComponent(text).replaceAll("'", "%27").replaceAll("%2F", "/").replaceAll("%3A", ":");
  const pairs = query.map(([name, value]) => (value === undefined ? name : `${name}=${encode(value)}`));
  return pairs.length === 0 ? url.href : `${url.href}?${pairs.join("&")}`;
}
