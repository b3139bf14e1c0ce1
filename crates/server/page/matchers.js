/**
 * Topic matchers: the ways in which a subscription names its topics. A matcher is the name of a topic, a URL Pattern
 * (of Mercure's newer revision) or a URI Template (of its older revision).
 */

/** The matcher that stands for all topics in a subscription. */
export const ALL_TOPICS = "*";

/** @typedef {"exact" | "urlpattern" | "template"} MatcherKind */
/** @typedef {{kind: MatcherKind, text: string}} Matcher */

/** The kinds of matchers: the label that people read, and the parameter in the page's own URL. */
export const KINDS = {
  exact: { label: "Exact", parameter: "topic" },
  urlpattern: { label: "URL Pattern", parameter: "match_urlpattern" },
  template: { label: "URI Template", parameter: "template" },
};

/** @returns {Matcher} */
export function matcher(kind, text) {
  // The text `*` means all topics with every kind of matcher. A template without a variable is the name of one topic.
  const isName = text === ALL_TOPICS || (kind === "template" && !text.includes("{"));
  return { kind: isName ? "exact" : kind, text };
}

export function sameMatcher(one, other) {
  return one.kind === other.kind && one.text === other.text;
}

export function sameMatchers(some, others) {
  return some.length === others.length && some.every((one, place) => sameMatcher(one, others[place]));
}

/**
 * Returns the way of subscribing that works for all of `matchers`: `exact` if all are names, otherwise the kind of
 * their patterns, which belongs to one revision of Mercure.
 *
 * @returns {MatcherKind}
 */
export function kindOf(matchers) {
  return matchers.find(({ kind }) => kind !== "exact")?.kind ?? "exact";
}

/**
 * Returns the reason why `added` cannot be subscribed to together with `matchers`; an empty text if it can. Rules that
 * only the hub can check are not checked.
 *
 * @param {Matcher} added
 * @param {Matcher[]} matchers
 */
export function objection(added, matchers) {
  if (added.kind === "template" && !isTemplate(added.text)) {
    return `${quoted(added.text)} is not a URI Template (RFC 6570), such as orders/{id}.`;
  }
  const all = [...matchers, added];
  const pattern = all.find(({ kind }) => kind === "urlpattern");
  const template = all.find(({ kind }) => kind === "template");
  if (pattern && template) {
    const other = added.kind === "template" ? pattern : template;
    return `A URL Pattern and a URI Template cannot share a connection: they belong to two revisions of Mercure. Remove ${quoted(other.text)} first.`;
  }
  // The older revision reads each text as a template if it can be one, also a topic's name.
  const braces = template && all.find(({ kind, text }) => kind === "exact" && text.includes("{") && isTemplate(text));
  if (braces) return `Beside a URI Template, the exact topic ${quoted(braces.text)} would be a template too. Remove one of them.`;
  return "";
}

/**
 * Returns the kind of pattern that the exact topic `text` looks like; `undefined` if it does not look like a pattern.
 *
 * @returns {MatcherKind | undefined}
 */
export function looksLike(text) {
  if (text === ALL_TOPICS) return undefined;
  if (text.includes("{") && isTemplate(text)) return "template";
  return /\*|(^|\/):[a-z_]/i.test(text) ? "urlpattern" : undefined;
}

const VARIABLE = "(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+(?:\\.(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+)*(?::[1-9][0-9]{0,3}|\\*)?";
const EXPRESSION = `\\{[+#./;?&]?${VARIABLE}(?:,${VARIABLE})*\\}`;
const LITERAL = "[^\\x00-\\x20\"<>\\\\^`{|}%\\x7f-\\x9f]|%[0-9A-Fa-f]{2}";
const TEMPLATE = new RegExp(`^(?:${LITERAL}|${EXPRESSION})*$`, "u");

/**
 * Returns true for a URI Template (RFC 6570, section 2). The hub would read any other text as a name, and no topic has
 * such a name.
 */
function isTemplate(text) {
  return TEMPLATE.test(text);
}

function quoted(text) {
  return `“${text}”`;
}
