/**
 * A gap is never silent: each reason for one is provoked, and seen by a native EventSource; then events go on.
 */
import { expect, test } from "../test.js";

const TOPIC = "ledger";
const GAP = "fanfare.gap";

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, place) => String(from + place));
const streamAfter = (id) => `/topics/${TOPIC}?last_event_id=${encodeURIComponent(id)}`;

/** Checks the gap that `stream` heard first, and returns what it says. */
async function gapOf(stream, { requested, reason }) {
  await expect.poll(async () => (await stream.events()).length).toBeGreaterThan(0);
  const [gap] = await stream.events();
  expect(gap.type).toBe(GAP);
  const said = JSON.parse(gap.data);
  expect(said).toEqual({ requested, reason, resumed_from: expect.any(String) });
  expect(gap.lastEventId, "the gap's ID is the cursor to go on from").toBe(said.resumed_from);
  return said;
}

/** Publishes one more, and checks that `stream` heard exactly one gap and then `before` and it, in order. */
async function goesOn(hub, stream, before = []) {
  await hub.publish(TOPIC, "afterwards");
  await expect.poll(async () => (await stream.events()).at(-1).data).toBe("afterwards");
  const [gap, ...events] = await stream.events();
  expect(gap.type).toBe(GAP);
  expect(events.map(({ type, data }) => [type, data])).toEqual([...before, "afterwards"].map((data) => ["message", data]));
}

test("discarded: retention has taken what came after the ID", async ({ startHub, native }) => {
  const kept = 10;
  const hub = await startHub("--clock", "false", "--retention-count", String(kept));
  const [first] = await hub.publishLines(TOPIC, range(1, 50));
  const stream = await discardedStream(hub, native, first);
  await gapOf(stream, { requested: first, reason: "discarded" });
  // What is still held comes after the gap, without a hole of its own, up to the newest.
  await expect.poll(async () => (await stream.events()).at(-1).data).toBe("50");
  const held = (await stream.events()).slice(1).map(({ data }) => data);
  expect(held.length).toBeGreaterThanOrEqual(kept);
  expect(held).toEqual(range(51 - held.length, 50));
  await goesOn(hub, stream, held);
});

/** The log may discard a little later than it could: the stream is opened when it has. */
async function discardedStream(hub, native, id) {
  await expect(async () => {
    const answer = await fetch(new URL(`/topics/${TOPIC}?last_event_id=earliest`, hub.url), {
      headers: { accept: "application/x-ndjson" },
      signal: AbortSignal.timeout(2_000),
    });
    const { value } = await answer.body.pipeThrough(new TextDecoderStream()).getReader().read();
    expect(value).not.toContain(JSON.stringify(id));
  }).toPass({ timeout: 15_000 });
  return native(hub, streamAfter(id), [GAP]);
}

test("unknown: the ID is nobody's", async ({ startHub, native }) => {
  const hub = await startHub("--clock", "false");
  await hub.publish(TOPIC, "before");
  const stream = await native(hub, streamAfter("nobody-ever-published-this"), [GAP]);
  await gapOf(stream, { requested: "nobody-ever-published-this", reason: "unknown" });
  // What the log holds comes after the gap.
  await goesOn(hub, stream, ["before"]);
});

test("foreign-epoch: the hub came back with another log", async ({ startHub, native }) => {
  const hub = await startHub("--clock", "false");
  const stream = await native(hub, `/topics/${TOPIC}`, [GAP]);
  await expect.poll(stream.opens).toBe(1);
  const last = await hub.publish(TOPIC, "of the lost log", { retry: 500 });
  await expect.poll(async () => (await stream.events()).length).toBe(1);
  await hub.stop();
  await hub.loseData();
  await hub.restart();

  await expect.poll(async () => (await stream.events()).length, { timeout: 15_000 }).toBeGreaterThan(1);
  const afterLoss = { ...stream, events: async () => (await stream.events()).slice(1) };
  await gapOf(afterLoss, { requested: last, reason: "foreign-epoch" });
  await goesOn(hub, afterLoss);
});

test("future: the ID lies beyond the end of the log", async ({ startHub, native }) => {
  const hub = await startHub("--clock", "false");
  const last = await hub.publish(TOPIC, "before");
  const [, epoch, offset] = last.match(/^#([0-9a-z]{8})-(\d+)$/);
  const future = `#${epoch}-${Number(offset) + 1_000}`;
  const stream = await native(hub, streamAfter(future), [GAP]);
  await gapOf(stream, { requested: future, reason: "future" });
  await goesOn(hub, stream);
});
