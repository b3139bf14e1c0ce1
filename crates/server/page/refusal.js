/**
 * Why the hub, or what stands before it, refused a request: in its own words.
 */

/** The statuses that say "later". An `EventSource` takes each of them for "never" (WHATWG HTML, 9.2.3). */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Of what an error answer says, no more is read, in bytes, and no more is shown, in UTF-16 units. */
const MAX_READ = 65_536;
const MAX_SHOWN = 600;
/** The longest that a server may ask to be left alone. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** An answer that is not what was asked for. */
export class Refusal extends Error {
  /** Whether the same request may be granted later. */
  mayPass;
  /** Whether another token may help: the hub challenges for one (RFC 6750, 3). */
  wantsToken;
  status;
  /** How long the server asks to be left alone, in milliseconds. */
  retryAfter_ms;

  /** @param {Response} response */
  static async of(response) {
    const refusal = new Refusal(await wordsOf(response));
    refusal.status = response.status;
    refusal.mayPass = PASSING.has(response.status);
    refusal.wantsToken = /^\s*bearer\b/i.test(response.headers.get("www-authenticate") ?? "");
    const seconds = Number(response.headers.get("retry-after") ?? 0);
    refusal.retryAfter_ms = seconds > 0 ? Math.min(seconds * 1_000, MAX_RETRY_AFTER_MS) : 0;
    return refusal;
  }
}

async function wordsOf(response) {
  const status = `${response.status} ${response.statusText}`.trim();
  if (response.status === 204) return `${status}: the server asks not to come back.`;
  const [essence] = (response.headers.get("content-type") ?? "").split(";");
  const type = essence.trim().toLowerCase();
  if (response.ok) {
    response.body?.cancel();
    return `${status}, but not an event stream: ${type || "without a content type"}. Something between this page and the hub may have answered in its place.`;
  }
  const body = await beginningOf(response).catch(() => "");
  if (/^application\/(.+\+)?json$/.test(type)) return inJson(body, response) ?? status;
  // A proxy's page of HTML says no more than its status.
  const said = type === "text/plain" ? cut(body.trim()) : "";
  return said ? `${status}: ${said}` : status;
}

/** The title and detail of a problem document (RFC 9457), or what other servers call it. */
function inJson(body, response) {
  try {
    const { title, detail, error_description, message, error } = JSON.parse(body);
    const text = (value) => (typeof value === "string" ? cut(value) : undefined);
    const heading = `${response.status} ${text(title) ?? response.statusText}`.trim();
    const said = text(detail) ?? text(error_description) ?? text(message) ?? text(error);
    return said ? `${heading}: ${said}` : heading;
  } catch {
    return undefined;
  }
}

function cut(text) {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

async function beginningOf(response) {
  if (!response.body) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let read = 0; read < MAX_READ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    read += value.length;
    text += decoder.decode(value, { stream: true });
  }
  reader.cancel();
  return text;
}
