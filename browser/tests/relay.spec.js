/**
 * The servers of three tutorials behind `fanfare relay`, and the pages of the same tutorials on the hub: they show what
 * they would show on the servers themselves.
 */
import { expect, test as base } from "../test.js";
import { INTERVAL_MS, express, node, php, relay, scripted } from "../upstreams.js";

const TOPIC = "ticks";
/** What the ASP.NET tutorial sends. Its page evaluates it as JavaScript, where it is a name without a value. */
const SENT = "推送至客户端的数据";

const test = base.extend({
  /** Keeps what is started in a test, and ends it. */
  ending: async ({}, use) => {
    const started = [];
    await use((what) => {
      started.push(what);
      return what;
    });
    for (const what of started) what.end();
  },
});

const DATE = String.raw`\w{3} \w{3} \d\d \d{4} [\d:]{8} GMT`;

/** `wanted` is the beginning of what the page shows: of those that end each response, so much that they are asked again. */
const CASES = [
  {
    name: "Node's http server",
    start: () => node("message"),
    alias: "/sse",
    page: "using-server-sent-events.html",
    shown: linesOf(/^(event\.data|自定义)/),
    wanted: Array(3).fill(RegExp(`^event.data======== ${DATE}`)),
  },
  {
    name: "Node's http server with timeMessage",
    start: () => node("timeMessage"),
    alias: "/sse",
    page: "using-server-sent-events.html",
    shown: linesOf(/^(event\.data|自定义)/),
    wanted: [RegExp(`^event.data======== ${DATE}`), ...Array(2).fill(RegExp(`^自定义消息事件------------ ${DATE}`))],
  },
  {
    name: "Express",
    start: express,
    alias: "/event-stream",
    page: "html-server-sent-events.html",
    shown: partsOf("#message-container"),
    wanted: Array(3).fill(/^Hello from server$/),
  },
  {
    name: "PHP",
    start: php,
    alias: "/demo_sse.php",
    page: "demo-sse.html",
    shown: partsOf("#result"),
    wanted: Array(2).fill(/^The server time is: \w{3}, \d\d \w{3} \d{4} [\d:]{8} /),
  },
  {
    name: "ASP.NET",
    start: () => scripted("dot-net"),
    alias: "/webservice/ServerSent/SentNews",
    page: "server-push-events-explained.html",
    shown: linesOf(RegExp(`^${SENT}`)),
    wanted: Array(2).fill(RegExp(`^${SENT}$`)),
  },
  {
    name: "ASP with the blank line that it lacks",
    start: () => scripted("asp-with-blank-line"),
    alias: "/demo_sse.php",
    page: "demo-sse.html",
    shown: partsOf("#result"),
    wanted: [/^The server time is: 2026\/11\/21 15:56:40$/],
  },
];

for (const { name, start, alias, page: address, shown, wanted } of CASES) {
  test(`${name}, relayed: its tutorial's page shows its events`, async ({ page, startHubWithPages, ending }) => {
    const hub = await startHubWithPages("--alias", `${alias}=${TOPIC}`, "--cors-origin", "*");
    const lines = await open(page, `${hub.url}/${address}`);
    const server = ending(await start());
    ending(relay(server.url, hub, TOPIC));
    const all = () => shown(page, lines);
    await expect.poll(async () => (await all()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(wanted.length);
    const begin = (await all()).slice(0, wanted.length);
    begin.forEach((text, at) => expect(text).toMatch(wanted[at]));
  });
}

test("ASP as printed, relayed: no event, since it sends no blank line", async ({ page, startHubWithPages, ending }) => {
  const hub = await startHubWithPages("--alias", `/demo_sse.php=${TOPIC}`);
  await open(page, `${hub.url}/demo-sse.html`);
  const server = ending(await scripted("asp-as-printed"));
  // The relay has read the whole response.
  await ending(relay(server.url, hub, TOPIC)).says(/reconnecting in/);
  await hub.publish(TOPIC, "from somebody else");
  const shown = () => partsOf("#result")(page);
  await expect.poll(shown).not.toEqual([]);
  expect(await shown()).toEqual(["from somebody else"]);
});

test("a relay of the hub itself: types, the hub's IDs and origin, one connection", async ({ startHub, native, ending }) => {
  const server = ending(await node("timeMessage"));
  const hub = await startHub("--relay", `${server.url}=${TOPIC}`, "--alias", `/sse=${TOPIC}`);
  const source = await native(hub, "/sse?last_event_id=earliest", ["timeMessage"]);
  await expect.poll(async () => (await source.events()).length, { timeout: 50 * INTERVAL_MS }).toBeGreaterThan(4);
  const events = await source.events();
  // The first is said on connecting, without a type.
  expect(events[0].type).toBe("message");
  for (const event of events.slice(1)) {
    expect(event.type).toBe("timeMessage");
    expect(new Date(event.data).getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect(event.lastEventId).toMatch(/^#/);
    expect(event.origin).toBe(new URL(hub.url).origin);
  }
  expect(new Set(events.map(({ lastEventId }) => lastEventId)).size).toBe(events.length);
  expect(await source.opens()).toBe(1);
});

/** Opens a page, waits until its event source is connected, and returns the lines that it writes to the console. */
async function open(page, url) {
  const lines = [];
  page.on("console", (message) => lines.push(message.text().replace(/\s+/g, " ")));
  await page.addInitScript((name) => (window[name] = name), SENT);
  await page.goto(url);
  await expect.poll(() => page.evaluate(() => (window.source ?? window.eventSource).readyState)).toBe(1);
  return lines;
}

/** Shown on the console. */
function linesOf(pattern) {
  return async (_page, lines) => lines.filter((line) => pattern.test(line));
}

/** Shown in an element, with a line break after each. */
function partsOf(selector) {
  return async (page) => (await page.locator(selector).innerHTML()).split("<br>").slice(0, -1);
}
