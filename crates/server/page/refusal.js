/**
 * Why the hub refused a stream. An `EventSource` hides status and body of the answer, so the same URL is asked once
 * more with `fetch`; only the head of the answer, and the body of an error, are read.
 */

const PATIENCE_MS = 5_000;

/** The statuses that say "later". An `EventSource` takes each of them for "never" (WHATWG HTML, 9.2.3). */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * @param {string} url of the stream
 * @returns {Promise<{reason: string, mayPass: boolean}>}
 */
export async function whyRefused(url) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
  try {
    const response = await fetch(url, { headers: { accept: "text/event-stream" }, signal: abort.signal });
    if (response.ok) return { reason: "The stream ended before it began.", mayPass: true };
    return { reason: await problemOf(response), mayPass: PASSING.has(response.status) };
  } catch {
    return { reason: "The hub does not answer.", mayPass: true };
  } finally {
    clearTimeout(timer);
    abort.abort(); // A stream that did open would otherwise stay open.
  }
}

/**
 * What an error answer says: the detail of its problem document (RFC 9457), or else its status.
 *
 * @param {Response} response
 */
export async function problemOf(response) {
  const status = `${response.status} ${response.statusText}`.trim();
  if (!response.headers.get("content-type")?.startsWith("application/problem+json")) return status;
  const { title, detail } = await response.json().catch(() => ({}));
  return [`${response.status} ${title ?? response.statusText}`.trim(), detail].filter(Boolean).join(": ");
}
