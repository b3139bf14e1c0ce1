/**
 * Each event stream begins with an event of the type `fanfare.start`, which has the place of the stream as its ID, and a
 * quiet stream gets further ones as heartbeats. A browser keeps this ID as it keeps that of an update, and a page that
 * does not listen to this type sees nothing of it.
 */
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "../test.js";

const TOPIC = "orders";
const START = "fanfare.start";
const GAP = "fanfare.gap";
const PLACE = /^#[0-9a-z]{8}-\d+$/;
/** The shortest interval that a hub can have. */
const HEARTBEATS = ["--heartbeat-interval", "1s"];
/** The longest time in which a browser connects again by itself, on a busy machine. */
const RECONNECTS = { timeout: 20_000 };

const dataOf = async (stream, wanted = "message") => (await stream.events()).filter(({ type }) => type === wanted).map(({ data }) => data);
const idsOf = async (stream, wanted) => (await stream.events()).filter(({ type }) => type === wanted).map(({ lastEventId }) => lastEventId);

for (const address of [`/topics/${TOPIC}`, `/.well-known/mercure?topic=${TOPIC}`]) {
  test(`${address}: a connection that breaks before the first update loses none`, async ({ startHub, startFront, native }) => {
    const hub = await startHub("--clock", "false");
    const front = await startFront(hub);
    const before = await hub.publish(TOPIC, "long ago");
    const stream = await native(front, address, [GAP]);
    await expect.poll(stream.opens).toBe(1);
    front.cut();
    await hub.publish(TOPIC, "while away");
    expect(front.subscriptions, "the browser was away").toHaveLength(1);
    await expect.poll(() => dataOf(stream), RECONNECTS).toEqual(["while away"]);
    await hub.publish(TOPIC, "afterwards");
    await expect.poll(() => dataOf(stream)).toEqual(["while away", "afterwards"]);
    expect(await dataOf(stream, GAP)).toEqual([]);
    const [first, second] = front.subscriptions;
    expect(second.url).toBe(first.url);
    expect([first, second].map(({ headers }) => headers["last-event-id"])).toEqual([undefined, before]);
  });
}

test("a hub that is killed before the first update, and started again: none is lost", async ({ startHub, native }) => {
  const hub = await startHub("--clock", "false");
  const stream = await native(hub, `/topics/${TOPIC}`, [GAP]);
  await expect.poll(stream.opens).toBe(1);
  await hub.kill();
  await expect.poll(async () => (await stream.heard()).some(({ type }) => type === "error")).toBe(true);
  await hub.restart();
  expect(await stream.opens(), "the browser was away").toBe(1);
  for (const data of ["1", "2"]) await hub.publish(TOPIC, data);
  await expect.poll(() => dataOf(stream), RECONNECTS).toEqual(["1", "2"]);
  expect(await dataOf(stream, GAP)).toEqual([]);
});

test("a page whose onmessage only parses JSON meets nothing else", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false", ...HEARTBEATS);
  const errors = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  await page.goto(`${hub.url}/healthz`);
  await page.evaluate((address) => {
    window.parsed = [];
    const source = new EventSource(address);
    source.onmessage = ({ data }) => parsed.push(JSON.parse(data));
    // A stream beside it, to know what arrives.
    window.places = [];
    new EventSource(address).addEventListener("fanfare.start", ({ lastEventId }) => places.push(lastEventId));
  }, `/topics/${TOPIC}`);
  const places = () => page.evaluate(() => places);
  await expect.poll(places).toHaveLength(1);
  const elsewhere = [];
  for (const count of [2, 3]) {
    elsewhere.push(await hub.publish("elsewhere", "not JSON"));
    await expect.poll(places).toHaveLength(count);
  }
  await sleep(1_500); // Heartbeats that are comments.
  await hub.publish(TOPIC, '{"order":8812}');
  await expect.poll(() => page.evaluate(() => parsed)).toEqual([{ order: 8812 }]);
  expect((await places()).slice(1)).toEqual(elsewhere);
  expect(errors).toEqual([]);
});

test("a page can listen to it, and reads the place from its data and its ID", async ({ startHub, native }) => {
  const hub = await startHub("--clock", "false");
  const before = await hub.publish(TOPIC, "long ago");
  const stream = await native(hub, `/topics/${TOPIC}`, [START]);
  await expect.poll(async () => (await stream.events()).length).toBe(1);
  const after = await hub.publish(TOPIC, "first");
  await expect.poll(async () => (await stream.events()).length).toBe(2);
  const [open, start, update] = await stream.heard();
  expect(open.type).toBe("open");
  expect(start).toMatchObject({ type: START, lastEventId: before, origin: hub.url });
  expect(start.lastEventId).toMatch(PLACE);
  expect(JSON.parse(start.data)).toEqual({ place: before });
  expect(update).toMatchObject({ type: "message", data: "first", lastEventId: after });
});

test("a quiet page is told newer places, and continues from the last of them", async ({ startHub, startFront, native }) => {
  const hub = await startHub("--clock", "false", "--retention-count", "10", ...HEARTBEATS);
  const front = await startFront(hub);
  const first = await hub.publish(TOPIC, "first", { retry: 300 });
  const stream = await native(front, `/topics/${TOPIC}?last_event_id=earliest`, [START, GAP]);
  await expect.poll(() => dataOf(stream)).toEqual(["first"]);
  const passed = await hub.publishLines("elsewhere", Array.from({ length: 50 }, (_, number) => String(number)));
  await expect.poll(async () => (await idsOf(stream, START)).at(-1)).toBe(passed.at(-1));
  expect(await idsOf(stream, "message"), "apart from the updates").toEqual([first]);

  front.cut();
  await hub.publish(TOPIC, "while away");
  await expect.poll(() => dataOf(stream), RECONNECTS).toEqual(["first", "while away"]);
  expect(front.subscriptions.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, passed.at(-1)]);
  expect((await idsOf(stream, START)).at(-1), "a reconnection begins with it, too").toBe(passed.at(-1));
  expect(await dataOf(stream, GAP)).toEqual([]);
});

test("an answer until now ends with the place that it has reached, from which the browser continues", async ({ startHub, startFront, native }) => {
  const hub = await startHub("--clock", "false");
  const front = await startFront(hub);
  await hub.publish(TOPIC, "1", { retry: 300 });
  const passed = await hub.publish("elsewhere", "");
  const stream = await native(front, `/topics/${TOPIC}?until=now&last_event_id=earliest`, ["fanfare.end", GAP]);
  await expect.poll(() => dataOf(stream)).toEqual(["1"]);
  await hub.publish(TOPIC, "2");
  await expect.poll(() => dataOf(stream), RECONNECTS).toEqual(["1", "2"]);
  const [end] = (await stream.events()).filter(({ type }) => type === "fanfare.end");
  expect([JSON.parse(end.data), end.lastEventId]).toEqual([{ reason: "now" }, passed]);
  expect(front.subscriptions[1].headers["last-event-id"]).toBe(passed);
  expect(await dataOf(stream, GAP)).toEqual([]);
});

test("examples/page.html lists the updates, and nothing else", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false", "--static", path.resolve(import.meta.dirname, "../../examples"), ...HEARTBEATS);
  const warnings = [];
  page.on("console", (message) => warnings.push(message.text()));
  await page.goto(`${hub.url}/page.html`);
  await expect(page.locator("#state")).toHaveText("open");
  await hub.publish("elsewhere", "");
  await hub.kill();
  await expect(page.locator("#state")).toHaveText("reconnecting");
  await hub.restart();
  const ids = [await hub.publish("greetings", "1"), await hub.publish("greetings", "2", { type: "greeting" })];
  await expect(page.locator("#events li")).toHaveText([`${ids[1]}: 2`, `${ids[0]}: 1`], RECONNECTS);
  expect(warnings.filter((text) => text.includes("missing"))).toEqual([]);
});

test("--start-event off: there is none, neither at the beginning nor as a heartbeat", async ({ startHub, native }) => {
  const hub = await startHub("--clock", "false", "--start-event", "off", ...HEARTBEATS);
  const stream = await native(hub, `/topics/${TOPIC}`, [START]);
  const raw = await fetch(new URL(`/topics/${TOPIC}`, hub.url), { signal: AbortSignal.timeout(20_000) });
  await expect.poll(stream.opens).toBe(1);
  await hub.publish("elsewhere", "");
  await sleep(2_500);
  await hub.publish(TOPIC, "first");
  await expect.poll(async () => (await stream.events()).length).toBe(1);
  expect((await stream.events())[0]).toMatchObject({ type: "message", data: "first" });
  let text = "";
  for await (const piece of raw.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("data: first")) break;
  }
  expect(text, "heartbeats came, and they were comments").toMatch(/^(:\n)+/);
  expect(text).not.toContain(START);
});
