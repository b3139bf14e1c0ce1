/**
 * The reason why a request was refused, in the words of the hub or of a proxy before it.
 */

/** The statuses that mean "later". An `EventSource` never reconnects after any of them (WHATWG HTML, 9.2.3). */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** The greatest number of bytes that are read of an error answer. */
const MAX_READ = 65_536;
const MAX_SHOWN = 600;
/** The longest time that a server can tell the page to wait before the next attempt. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** An answer that is not what the page asked for. */
export class Refusal extends Error {
  /** True if the same request may succeed later. */
  mayPass;
  /** True if the request may succeed with another token: the hub has sent a challenge for a token (RFC 6750, 3). */
  wantsToken;
  status;
  /** The time that the server tells the page to wait before the next attempt, in milliseconds. */
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
  // The HTML page of a proxy says no more than the status, so it is not shown.
  const said = type === "text/plain" ? cut(body.trim()) : "";
  return said ? `${status}: ${said}` : status;
}

/** Returns the title and the detail of a problem document (RFC 9457), or the fields that other servers use instead. */
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
