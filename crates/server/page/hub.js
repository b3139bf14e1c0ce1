/**
 * The hub's addresses: the one place that knows the topic API's paths and query parameters.
 *
 * They are derived from where the page came from, so that a host name or path prefix added by a proxy is kept.
 */

/** What the hub is reached under; ends in a slash. */
export const hubUrl = new URL(".", location.href);
hubUrl.search = "";
hubUrl.hash = "";

/** The topic that stands for all topics in a subscription. */
export const ALL_TOPICS = "*";

/**
 * The event stream of `topics`.
 *
 * @param {string[]} topics
 * @param {{cursor?: string, token?: string, envelope?: boolean}} [options] `cursor`: the event ID to go on after, or
 *   `earliest`. `token`: travels in the query, because an EventSource cannot set headers. `envelope`: each update
 *   arrives as one unnamed event that holds topics, type, ID, data and time as JSON; without it, a page would have to
 *   know every event type in advance to hear it.
 */
export function streamUrl(topics, { cursor, token, envelope } = {}) {
  const alone = topics.length === 1 && topics[0] !== ALL_TOPICS;
  const url = new URL(alone ? topicPath(topics[0]) : "topics", hubUrl);
  const query = alone ? [] : topics.map((topic) => ["topic", topic]);
  if (cursor) query.push(["last_event_id", cursor]);
  if (token) query.push(["authorization", token]);
  if (envelope) query.push(["envelope"]);
  return withQuery(url, query);
}

/**
 * Where to POST the data of an update.
 *
 * @param {{topic: string, type?: string, id?: string, isPrivate?: boolean}} update
 */
export function publishUrl({ topic, type, id, isPrivate }) {
  const query = [];
  if (type) query.push(["type", type]);
  if (id) query.push(["id", id]);
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
