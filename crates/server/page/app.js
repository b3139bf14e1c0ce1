/**
 * Connects the parts of the page: what the stream receives goes to the list, the chart and the connection panel, and
 * what the person chooses goes to the stream. To understand the page, begin here.
 */
import { announce } from "./announcer.js";
import { wireCopyButtons } from "./copy.js";
import { EventList } from "./event-list.js";
import { streamUrl } from "./hub.js";
import { ALL_TOPICS, matcher, objection } from "./matchers.js";
import { matchersOfAddress, putIntoAddress } from "./page-address.js";
import { PublishForm } from "./publish.js";
import { RateChart } from "./rate.js";
import { wireRowKeys } from "./row-keys.js";
import { curlPublish, curlSubscribe, javascript, showCode } from "./snippet.js";
import { Stream } from "./stream.js";
import { TokenPanel } from "./token-panel.js";
import { TopicChips } from "./topics.js";

/** The topics of the first visit. The hub publishes to `clock` by itself; the publish form begins with `greetings`. */
const FIRST_TOPICS = ["clock", "greetings"].map((topic) => matcher("exact", topic));
const EARLIEST = "earliest";
/** The statuses by which the hub says that the request itself is wrong. With others, its sender lacks a right. */
const WRONG_REQUEST = new Set([400, 413, 414, 431]);

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
const byId = (id) => document.getElementById(id);

const stream = new Stream();
const chart = new RateChart(byId("rate-chart"), { rate: byId("rate"), peak: byId("peak"), total: byId("total") });
const list = new EventList(byId("rows"), oncePerFrame(showCounts));
const chips = new TopicChips(byId("topics"), byId("add-topic"), byId("topic-note"), topicsChanged);
const tokenParts = { toggle: byId("token-toggle"), why: byId("token-why"), form: byId("token-form"), show: byId("token-show") };
const tokens = new TokenPanel(byId("token-panel"), tokenParts, tokenChanged);
const form = new PublishForm(byId("publish"), byId("answer"), {
  readToken: () => {
    if (tokens.take()) tokenChanged();
    return tokens.token;
  },
  onEdit: () => {
    byId("subscribe-too").hidden = true;
    showSnippets();
  },
  onPublished: offerToSubscribe,
  onRefused: publishingRefused,
});

/** True if the person wants the stream to be open. */
let isWanted = true;
/** The start if no event was received yet: an event ID, `earliest`, or an empty text for only new events. */
let startAfter = "";
/** The matcher that was added last; `null` when the hub has accepted it. */
let justAdded = null;
let announcedState = "";
/** The animated ring around the lamp of the connection panel, if one was started. */
let ring = null;

stream.addEventListener("change", showConnection);
stream.addEventListener("update", ({ detail }) => {
  chart.count();
  list.addUpdate(detail);
  showArrival();
});
stream.addEventListener("gap", ({ detail }) => {
  list.addGap(detail);
  showArrival();
  showConnection();
  announce(`Gap: ${detail.reason}`);
});
stream.addEventListener("expired", ({ detail }) => askForNextToken(detail));
stream.addEventListener("refused", ({ detail }) => streamRefused(detail));
addEventListener("themechange", () => chart.restyle());

wireControls();
wireLife();
wireCopyButtons();
wireRowKeys(byId("table"), byId("rows"));
showSupport();
showSnippets();
showCounts();
begin();

function begin() {
  const asked = matchersOfAddress();
  const why = asked.map((one, place) => objection(one, asked.slice(0, place))).find(Boolean);
  chips.matchers = asked.length > 0 ? asked : FIRST_TOPICS;
  showTopics();
  if (!why) return connect();
  isWanted = false;
  chips.say(why);
}

// What the person chooses.

function connect() {
  if (!isWanted || chips.matchers.length === 0) return stream.close();
  stream.open({ matchers: chips.matchers, token: tokens.token, startAfter });
}

function topicsChanged(added = null) {
  putIntoAddress(chips.matchers);
  showTopics();
  justAdded = added; // Not before: the stream that is open now knows nothing of it.
  connect();
}

function tokenChanged() {
  showSnippets();
  isWanted = true;
  connect();
}

/**
 * Empties the list, and opens the stream after the event ID `id`. The list is emptied because its events may come
 * again.
 */
function start(id) {
  startAfter = id;
  byId("start-after").value = id;
  byId("from-earliest").checked = id === EARLIEST;
  stream.forgetPlace();
  list.clear();
  isWanted = true;
  connect();
}

function wireControls() {
  byId("toggle").addEventListener("click", () => {
    isWanted = stream.state === "closed";
    connect();
  });
  byId("try-now").addEventListener("click", () => stream.wake());
  byId("all-topics").addEventListener("click", () => chips.add(matcher("exact", ALL_TOPICS)));
  byId("filter").addEventListener("input", () => (list.filter = byId("filter").value));
  byId("pause").addEventListener("click", () => (list.paused = !list.paused));
  byId("clear").addEventListener("click", () => list.clear());
  byId("subscribe-too").addEventListener("click", ({ currentTarget }) => {
    chips.add(matcher("exact", currentTarget.dataset.topic));
    currentTarget.hidden = true;
  });
  byId("start").addEventListener("submit", (event) => {
    event.preventDefault();
    start(byId("start-after").value.trim());
  });
  byId("from-earliest").addEventListener("change", ({ currentTarget }) => start(currentTarget.checked ? EARLIEST : ""));
}

/**
 * Does what a browser does for an `EventSource`: closes the stream with the page, and wakes it when the network is
 * back.
 */
function wireLife() {
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", ({ persisted }) => persisted && connect());
  addEventListener("online", () => stream.wake());
  document.addEventListener("visibilitychange", () => document.hidden || stream.wake());
}

function offerToSubscribe({ topic, alternates }) {
  const button = byId("subscribe-too");
  button.hidden = [topic, ...alternates].some((one) => chips.mayHear(one));
  button.dataset.topic = topic;
  button.textContent = `You are not subscribed to ${topic}. Subscribe`;
}

// What the hub asks for.

function streamRefused(refusal) {
  if (refusal.wantsToken) return askForToken(refusal);
  if (!justAdded || !WRONG_REQUEST.has(refusal.status)) return;
  // The topics that were heard before stay subscribed.
  const { text } = justAdded;
  chips.remove(justAdded);
  chips.say(`“${text}” was refused. ${refusal.message}.`);
}

function askForToken({ message }) {
  if (tokens.token === "") tokens.ask("This hub wants a token. Paste one here, and the stream opens. Whoever runs the hub can make one with “fanfare token”.");
  else tokens.ask(`The hub does not take this token. ${message}. Paste another one.`);
}

function askForNextToken({ why }) {
  tokens.forget();
  showSnippets();
  tokens.ask(`${why} Paste a new one: the stream goes on where it stopped, and nothing is lost.`);
}

function publishingRefused({ wantsToken }) {
  if (!wantsToken) return;
  if (tokens.token === "") tokens.ask("Publishing here wants a token. Paste one, and publish again.");
  else tokens.ask("The hub does not let this token publish that. Paste another one, and publish again.");
}

// What the page shows.

function showSupport() {
  const isSupported = typeof EventSource !== "undefined";
  const support = byId("support");
  support.dataset.supported = isSupported;
  support.textContent = isSupported ? "This browser supports EventSource" : "This browser has no EventSource";
}

function showConnection() {
  const { state, trouble, reconnections, lastReconnection, gaps } = stream;
  document.querySelector(".connection").dataset.state = state;
  byId("state").textContent = state;
  byId("trouble-text").textContent = trouble;
  byId("trouble").hidden = trouble === "";
  byId("try-now").hidden = !stream.isWaiting;
  byId("toggle").textContent = state !== "closed" ? "Close" : stream.lastEventId ? "Reopen" : "Connect";
  byId("toggle").disabled = chips.matchers.length === 0;
  byId("reconnections").textContent = reconnections;
  if (lastReconnection) byId("last-reconnection").textContent = lastReconnection.toLocaleTimeString();
  byId("gaps").textContent = gaps.toLocaleString();
  byId("gaps").classList.toggle("is-bad", gaps > 0);
  showLastEventId();
  if (state === "open") {
    tokens.settle();
    justAdded = null;
  }
  if (state !== announcedState) announce(`Connection ${state}. ${trouble}`);
  announcedState = state;
}

function showTopics() {
  byId("all-topics").hidden = chips.matchers.some(({ text }) => text === ALL_TOPICS);
  const address = chips.matchers.length > 0 ? streamUrl(chips.matchers) : "Add a topic to connect.";
  byId("address").textContent = byId("address").title = address;
  byId("subscribe-too").hidden = true;
  showSnippets();
  showConnection();
}

/** Shows the last event ID. It can be the ID of an event that is not in the list: a start event of the hub. */
function showLastEventId() {
  byId("last-event-id").textContent = stream.lastEventId || "none yet";
}

/** Shows the last event ID, and sends a ring out of the lamp. While a ring is on its way, no other ring starts. */
function showArrival() {
  showLastEventId();
  if (stillness.matches || ring?.playState === "running") return;
  ring = byId("lamp-ring").animate({ transform: ["scale(1)", "scale(2.6)"], opacity: [0.7, 0] }, { duration: 700, easing: "ease-out" });
}

function showCounts() {
  const { held, matching, waiting } = list.counts;
  byId("counts").textContent = matching === held ? `${held}` : `${matching} of ${held}`;
  byId("empty").hidden = matching > 0;
  byId("empty").textContent = held > 0 ? "No event matches the filter." : "Nothing yet. Events appear here as they arrive.";
  byId("pause").setAttribute("aria-pressed", String(list.paused));
  byId("pause").textContent = list.paused ? (waiting > 0 ? `Resume · ${waiting} new` : "Resume") : "Pause";
}

function showSnippets() {
  const matchers = chips.matchers.length > 0 ? chips.matchers : FIRST_TOPICS;
  const draft = form.draft;
  const hasToken = tokens.token !== "";
  showCode(byId("snippet-javascript"), javascript(matchers, draft.type, hasToken));
  showCode(byId("snippet-subscribe"), curlSubscribe(matchers, hasToken));
  showCode(byId("snippet-publish"), curlPublish(draft, hasToken));
}

function oncePerFrame(action) {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      action();
    });
  };
}
