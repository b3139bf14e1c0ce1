/**
 * Tokens of Mercure's older revision.
 */
import { createHmac } from "node:crypto";

/** The key (HS256) of the hubs that take them. */
export const KEY = "a secret of more than two and thirty bytes";

/**
 * @param {{publish?: string[], subscribe?: string[]}} grants
 * @param {{lasts_s?: number}} [options] in how many seconds it expires; without it, never
 */
export function token(grants, { lasts_s } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { mercure: grants, ...(lasts_s && { exp: Math.ceil(Date.now() / 1_000) + lasts_s }) };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", KEY).update(signed).digest("base64url")}`;
}
