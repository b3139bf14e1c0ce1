/**
 * Tokens of Mercure's older revision.
 */
import { createHmac } from "node:crypto";

/** The key (HS256) of the hubs that take them. */
export const KEY = "a secret of more than two and thirty bytes";

/** @param {{publish?: string[], subscribe?: string[]}} grants */
export function token(grants) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ mercure: grants })}`;
  return `${signed}.${createHmac("sha256", KEY).update(signed).digest("base64url")}`;
}
