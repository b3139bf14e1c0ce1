/**
 * The page's wiring: what the stream says goes to the list, the chart and the connection panel; what the person chooses
 * goes to the stream. Begin reading here.
 */
import { wireCopyButtons } from "./copy.js";
import { EventList } from "./event-list.js";
import { ALL_TOPICS, streamUrl } from "./hub.js";
import { PublishForm } from "./publish.js";
import { RateChart } from "./rate.js";
import { curlPublish, curlSubscribe, javascript, showCode } from "./snippet.js";
import { isSupported, Stream } from "./stream.js";
import { TopicChips } from "./topics.js";

/** `clock` ticks by itself; `greetings` is where the publish form begins, so that the first try is seen to arrive. */
const FIRST_TOPICS = ["clock", "greetings"];
/** How long to let a person type a token before the stream is opened with it. */
const TYPING_PAUSE_MS = 600;

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
const byId = (id) => document.getElementById(id);

const stream = new Stream();
const chart = new RateChart(byId("rate-chart"), { rate: byId("rate"), peak: byId("peak"), total: byId("total") });
const list = new EventList(byId("rows"), oncePerFrame(showCounts));
const chips = new TopicChips(byId("topics"), byId("add-topic"), topicsChanged);
const form = new PublishForm(byId("publish"), byId("answer"), {
  readToken: () => byId("token").value,
  onEdit: () => {
    byId("subscribe-too").hidden = true;
    showSnippets();
  },
  onPublished: offerToSubscribe,
});

/** Whether the stream should be open, as far as the person is concerned. */
let isWanted = true;
let announcedState = "";
/** The lamp's ring that is on its way. */
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
  announce(`Gap: ${detail.reason}`);
});
addEventListener("themechange", () => chart.restyle());

wireControls();
wireCopyButtons(announce);
showSupport();
showSnippets();
showCounts();
begin();

function begin() {
  const asked = new URLSearchParams(location.search).getAll("topic");
  chips.topics = asked.length > 0 ? asked : FIRST_TOPICS;
  showTopics();
  connect();
}

// What the person chooses.

function connect() {
  if (!isWanted || !isSupported || chips.topics.length === 0) return stream.close();
  stream.open({ topics: chips.topics, token: byId("token").value, fromEarliest: byId("from-earliest").checked });
}

function topicsChanged() {
  const query = chips.topics.map((topic) => `topic=${encodeURIComponent(topic)}`).join("&");
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
  showTopics();
  connect();
}

function wireControls() {
  byId("toggle").addEventListener("click", () => {
    isWanted = stream.state === "closed";
    connect();
  });
  byId("all-topics").addEventListener("click", () => chips.add(ALL_TOPICS));
  byId("filter").addEventListener("input", () => (list.filter = byId("filter").value));
  byId("pause").addEventListener("click", () => (list.paused = !list.paused));
  byId("options").addEventListener("submit", (event) => event.preventDefault());
  byId("clear").addEventListener("click", () => list.clear());
  byId("subscribe-too").addEventListener("click", ({ currentTarget }) => {
    chips.add(currentTarget.dataset.topic);
    currentTarget.hidden = true;
  });
  byId("token").addEventListener("input", afterPause(() => {
    showSnippets();
    connect();
  }));
  byId("from-earliest").addEventListener("change", ({ currentTarget }) => {
    if (currentTarget.checked) stream.lastEventId = ""; // Else the stream would go on from there.
    connect();
  });
}

function offerToSubscribe({ topic }) {
  const button = byId("subscribe-too");
  button.hidden = chips.has(topic);
  button.dataset.topic = topic;
  button.textContent = `You are not subscribed to ${topic}. Subscribe`;
}

// What the page shows.

function showSupport() {
  const support = byId("support");
  support.dataset.supported = isSupported;
  support.textContent = isSupported ? "This browser supports EventSource" : "This browser has no EventSource";
}

function showConnection() {
  const { state, trouble, reconnections, lastReconnection } = stream;
  document.querySelector(".connection").dataset.state = state;
  byId("state").textContent = state;
  byId("trouble").textContent = trouble;
  byId("trouble").hidden = trouble === "";
  byId("toggle").textContent = state !== "closed" ? "Close" : stream.lastEventId ? "Reopen" : "Connect";
  byId("toggle").disabled = !isSupported || chips.topics.length === 0;
  byId("reconnections").textContent = reconnections;
  if (lastReconnection) byId("last-reconnection").textContent = lastReconnection.toLocaleTimeString();
  if (state !== announcedState) announce(`Connection ${state}. ${trouble}`);
  announcedState = state;
}

function showTopics() {
  byId("all-topics").hidden = chips.topics.includes(ALL_TOPICS);
  byId("address").textContent = chips.topics.length > 0 ? streamUrl(chips.topics) : "Add a topic to connect.";
  byId("subscribe-too").hidden = true;
  showSnippets();
  showConnection();
}

/** The lamp sends out a ring for an event; while one is on its way, no other. */

function showArrival() {
  byId("last-event-id").textContent = stream.lastEventId || "none yet";
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
  const topics = chips.topics.length > 0 ? chips.topics : FIRST_TOPICS;
  const draft = form.draft;
  const hasToken = byId("token").value !== "";
  showCode(byId("snippet-javascript"), javascript(topics, draft.type, hasToken));
  showCode(byId("snippet-subscribe"), curlSubscribe(topics, hasToken));
  showCode(byId("snippet-publish"), curlPublish(draft, hasToken));
}

/** Says something to those who hear the page. The list itself is silent: it would never stop talking. */
function announce(text) {
  byId("announcer").textContent = text;
}

// When it does so.

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

function afterPause(action) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, TYPING_PAUSE_MS);
  };
}
