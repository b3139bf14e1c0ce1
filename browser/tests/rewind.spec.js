/**
 * A page whose URL says `last=` or `since=` begins with what was published last. The browser repeats the URL when it
 * reconnects, and adds the ID of the last event: then that counts.
 */
import { expect, test } from "../test.js";

const TOPIC = "scores";
const RETRY_MS = 300;

const dataOf = async (stream) => (await stream.events()).map(({ data }) => data);

async function hears(stream, data) {
  await expect.poll(() => dataOf(stream), { timeout: 15_000 }).toEqual(data);
}

for (const [query, first] of [
  ["last=2", ["3", "4"]],
  ["since=1h", ["1", "2", "3", "4"]],
]) {
  test(`${query}: the page begins with it, and repeats nothing when it reconnects`, async ({ startHub, native }) => {
    const hub = await startHub("--clock", "false");
    for (const data of ["1", "2", "3", "4"]) await hub.publish(TOPIC, data, { retry: RETRY_MS });
    const stream = await native(hub, `/.well-known/mercure?topic=${TOPIC}&${query}`, ["fanfare.gap"]);
    await hears(stream, first);
    await hub.publish(TOPIC, "5");
    await hears(stream, [...first, "5"]);

    // More than `last` would bring comes while the page is away, and then less.
    await hub.kill();
    await hub.restart();
    for (const data of ["6", "7", "8", "9"]) await hub.publish(TOPIC, data);
    await hears(stream, [...first, "5", "6", "7", "8", "9"]);
    await hub.kill();
    await hub.restart();
    await expect.poll(stream.opens, { timeout: 15_000 }).toBe(3);
    await hub.publish(TOPIC, "end");
    await hears(stream, [...first, "5", "6", "7", "8", "9", "end"]);
  });
}

test("a page that reconnects asks for the same, behind the last event", async ({ startHub, startFront, native }) => {
  const hub = await startHub("--clock", "false");
  const front = await startFront(hub);
  const ids = [];
  for (const data of ["1", "2", "3"]) ids.push(await hub.publish(TOPIC, data, { retry: RETRY_MS }));
  const stream = await native(front, `/.well-known/mercure?topic=${TOPIC}&last=2`);
  await hears(stream, ["2", "3"]);
  front.cut();
  await expect.poll(stream.opens, { timeout: 15_000 }).toBe(2);
  ids.push(await hub.publish(TOPIC, "4"));
  await hears(stream, ["2", "3", "4"]);
  expect((await stream.events()).map(({ lastEventId }) => lastEventId)).toEqual(ids.slice(1));
  const [before, after] = front.subscriptions;
  expect(after.url).toBe(before.url);
  expect([before, after].map(({ headers }) => headers["last-event-id"])).toEqual([undefined, ids[2]]);
});
