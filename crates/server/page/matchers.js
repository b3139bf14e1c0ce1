/**
 * Topic matchers: how a subscription says which topics it wants. A topic by its name, a URL Pattern, which Mercure's newer
 * revision has, or a URI Template, which its older one has.
 */

/** The topic that stands for all topics in a subscription. */
export const ALL_TOPICS = "*";

/** @typedef {"exact" | "urlpattern" | "template"} MatcherKind */
/** @typedef {{kind: MatcherKind, text: string}} Matcher */

/** The kinds of matchers: what people read, and the parameter of the page's own address. */
export const KINDS = {
  exact: { label: "Exact", parameter: "topic" },
  urlpattern: { label: "URL Pattern", parameter: "match_urlpattern" },
  template: { label: "URI Template", parameter: "template" },
};

/** @returns {Matcher} */
export function matcher(kind, text) {
  // `*` is all topics under every kind, and a template without a variable is a name.
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
 * Which way of subscribing takes all of `matchers`: `exact`, or the revision of Mercure that has the patterns among them.
 *
 * @returns {MatcherKind}
 */
export function kindOf(matchers) {
  return matchers.find(({ kind }) => kind !== "exact")?.kind ?? "exact";
}

/**
 * Why `added` cannot be subscribed to beside `matchers`, or an empty text. What only the hub can judge is left to it.
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
  // The older revision takes every text for a template that can be one.
  const braces = template && all.find(({ kind, text }) => kind === "exact" && text.includes("{") && isTemplate(text));
  if (braces) return `Beside a URI Template, the exact topic ${quoted(braces.text)} would be a template too. Remove one of them.`;
  return "";
}

/**
 * The kind of pattern that `text` looks like, although it was added as an exact topic; `undefined` if it does not.
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

/** RFC 6570, section 2. The hub would take what is no template for a name, which no topic has. */
function isTemplate(text) {
  return TEMPLATE.test(text);
}

function quoted(text) {
  return `“${text}”`;
}
