/**
 * Pages as three tutorials write them, unchanged in what they do with `EventSource`, against a hub that serves the paths
 * they name as aliases of a topic.
 */
import { expect, test } from "../test.js";

const TOPIC = "news";
const RETRY_MS = 1_200;
/** What a browser may add to the reconnection time: its own rounding, and a busy machine. */
const RETRY_SLACK_MS = 2_500;

/** The texts that the page writes to the console, in order. */
function consoleOf(page) {
  const lines = [];
  page.on("console", (message) => lines.push(message.text()));
  return lines;
}

/** Publishes until the page shows a sign of it: a stream without a cursor begins with what comes after it. */
async function publishUntil(seen, publish) {
  await expect(async () => {
    await publish();
    await expect.poll(seen, { timeout: 1_000 }).toBeTruthy();
  }).toPass({ timeout: 15_000 });
}

test("/sse: detection, onmessage, a named event, multi-line JSON, lastEventId", async ({ page, startHubWithPages }) => {
  const hub = await startHubWithPages("--alias", `/sse=${TOPIC}`);
  const lines = consoleOf(page);
  await page.goto(`${hub.url}/using-server-sent-events.html`);
  await expect(page.locator("#support")).toHaveText("supported");
  const heard = (text) => lines.some((line) => line.replace(/\s+/g, " ").includes(text));

  await publishUntil(() => heard("event.data======== first"), () => hub.publish(TOPIC, "first"));

  await hub.publish(TOPIC, "begin message\ncontinue message", { id: "msg1" });
  await expect.poll(() => heard("event.data======== begin message continue message")).toBe(true);
  expect(lines.some((line) => line.includes("begin message\ncontinue message"))).toBe(true);
  await expect.poll(() => heard("lastEventId======== msg1")).toBe(true);

  await hub.publish(TOPIC, '{\n"name": "ivin"\n}');
  await expect.poll(() => lines.some((line) => line.includes('{\n"name": "ivin"\n}'))).toBe(true);

  // A named event goes to its own listener, and not to onmessage.
  await hub.publish(TOPIC, "12:00", { type: "timeMessage" });
  await expect.poll(() => heard("自定义消息事件------------ 12:00")).toBe(true);
  expect(heard("event.data======== 12:00")).toBe(false);
});

test("/sse: the page reconnects after the time it was told, and goes on where it was", async ({ page, startHubWithPages }) => {
  const hub = await startHubWithPages("--alias", `/sse=${TOPIC}`);
  await page.goto(`${hub.url}/using-server-sent-events.html`);
  await page.evaluate(() => {
    window.times = {};
    window.data = [];
    source.addEventListener("error", () => (times.error ??= performance.now()));
    source.addEventListener("open", () => times.error && (times.reopen ??= performance.now()));
    source.addEventListener("message", (event) => data.push(event.data));
  });
  const data = () => page.evaluate(() => window.data);
  await publishUntil(async () => (await data()).length > 0, () => hub.publish(TOPIC, "told", { retry: RETRY_MS, id: "told" }));

  await hub.kill();
  await expect.poll(() => page.evaluate(() => times.error)).toBeTruthy();
  await hub.restart();
  await hub.publish(TOPIC, "while away");
  await expect.poll(data).toContain("while away");

  const { error, reopen } = await page.evaluate(() => times);
  expect(reopen - error).toBeGreaterThanOrEqual(RETRY_MS - 50);
  expect(reopen - error).toBeLessThan(RETRY_MS + RETRY_SLACK_MS);
  const all = await data();
  expect(new Set(all.slice(all.indexOf("while away"))).size).toBe(all.length - all.indexOf("while away"));
});

test("/webservice/ServerSent/SentNews on another origin: CORS, onopen, origin, close", async ({ page, startHub, startSite }) => {
  const site = await startSite();
  const hub = await startHub("--alias", `/webservice/ServerSent/SentNews=${TOPIC}`, "--cors-origin", site.origin);
  site.hubPort = hub.port;
  const lines = consoleOf(page);
  await page.goto(`${site.origin}/server-push-events-explained.html`);
  await expect.poll(() => lines).toContain("连接打开...");

  const result = async () => JSON.parse((await page.locator("#result").textContent()) || "null");
  await publishUntil(result, () => hub.publish(TOPIC, '{name: "推送至客户端的数据",\nn: 1}', { type: "sentMessage" }));
  const { data, origin, lastEventId } = await result();
  expect(data).toEqual({ name: "推送至客户端的数据", n: 1 });
  expect(origin).toBe(`http://localhost:${hub.port}`);
  expect(lastEventId).toMatch(/^#[0-9a-z]{8}-\d+$/);
  expect(lines).not.toContain("onmessage...");

  // Its onmessage closes the stream: the one after is not heard, and nothing reconnects.
  await hub.publish(TOPIC, "plain");
  await expect.poll(() => lines).toContain("onmessage...");
  await hub.publish(TOPIC, "plain again");
  await page.waitForTimeout(500);
  expect(lines.filter((line) => line === "onmessage...")).toHaveLength(1);
  expect(await page.evaluate(() => eventSource.readyState)).toBe(2);
});

test("/webservice/ServerSent/SentNews on an origin that is not allowed: onerror, and nothing is heard", async ({ page, startHub, startSite }) => {
  const site = await startSite();
  const hub = await startHub("--alias", `/webservice/ServerSent/SentNews=${TOPIC}`);
  site.hubPort = hub.port;
  const lines = consoleOf(page);
  await page.goto(`${site.origin}/server-push-events-explained.html`);
  await expect.poll(() => lines).toContain("onerror 2");
  await hub.publish(TOPIC, "{}", { type: "sentMessage" });
  await page.waitForTimeout(500);
  await expect(page.locator("#result")).toBeEmpty();
  expect(lines).not.toContain("连接打开...");
});

test("/event-stream: addEventListener of message", async ({ page, startHubWithPages }) => {
  const hub = await startHubWithPages("--alias", `/event-stream=${TOPIC}`);
  await page.goto(`${hub.url}/html-server-sent-events.html`);
  const text = () => page.locator("#message-container").textContent();
  await publishUntil(text, () => hub.publish(TOPIC, "Hello from server"));
  await hub.publish(TOPIC, "and again");
  await expect(page.locator("#message-container")).toContainText("and again");
});

test("/demo_sse.php: onmessage, onopen, onerror", async ({ page, startHubWithPages }) => {
  const hub = await startHubWithPages("--alias", `/demo_sse.php=${TOPIC}`);
  const lines = consoleOf(page);
  await page.goto(`${hub.url}/demo-sse.html`);
  await expect.poll(() => lines).toContain("Connection to server opened");
  await publishUntil(() => page.locator("#result").textContent(), () => hub.publish(TOPIC, "The server time is: noon"));
  await expect(page.locator("#result")).toContainText("The server time is: noon");
  await hub.stop();
  await expect.poll(() => lines).toContain("An error occurred: 0");
});
