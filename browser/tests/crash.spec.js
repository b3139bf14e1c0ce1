/**
 * The hub is killed while many publish. A native EventSource reconnects by itself, and must then have heard what was
 * acknowledged: all of it, once, in the order of the log.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "../test.js";

const TOPIC = "orders";
const PUBLISHERS = 8;
const KILLS = 3;
const ACKNOWLEDGED_PER_ROUND = 400;
const RETRY_MS = 400;

test("kill -9 while publishing: no gap, no repeat, no change of order", async ({ startHub, native, browserName }) => {
  test.setTimeout(120_000);
  const hub = await startHub("--clock", "false");
  const stream = await native(hub, `/topics/${TOPIC}`, ["fanfare.gap"]);
  await expect.poll(stream.opens).toBe(1);
  await hub.publish(TOPIC, "begin", { retry: RETRY_MS });

  const load = new Load(hub);
  const running = load.run();
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await reach(load, kill * ACKNOWLEDGED_PER_ROUND + Math.floor(Math.random() * 100));
    await expect.poll(stream.opens, { timeout: 15_000 }).toBe(kill);
    await hub.kill();
    await sleep(Math.random() * 2 * RETRY_MS);
    await hub.restart();
  }
  await reach(load, (KILLS + 1) * ACKNOWLEDGED_PER_ROUND);
  load.stop();
  await running;
  const end = await hub.publish(TOPIC, "end");

  const heardIds = async () => (await stream.events()).map(({ lastEventId }) => lastEventId);
  await expect.poll(async () => (await heardIds()).at(-1), { timeout: 30_000 }).toBe(end);
  const events = await stream.events();
  const heard = new Set(events.map(({ lastEventId }) => lastEventId));
  const missing = load.acknowledged.filter((id) => !heard.has(id));
  const repeats = events.length - heard.size;
  const gaps = events.filter(({ type }) => type === "fanfare.gap").length;
  const reconnections = (await stream.opens()) - 1;
  console.log(
    `${browserName}: ${load.acknowledged.length} updates acknowledged over ${KILLS} kills; ${events.length} events heard over ` +
      `${reconnections} reconnections; ${missing.length} missing, ${repeats} repeated, ${gaps} gaps`,
  );

  expect({ missing, repeats, gaps }).toEqual({ missing: [], repeats: 0, gaps: 0 });
  expect(reconnections).toBe(KILLS);
  expect(events.map(({ data }) => data)).toEqual(await everythingHeld(hub, end));
  for (const numbers of load.numbersByPublisher(events)) expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
});

async function reach(load, count) {
  await expect.poll(() => load.acknowledged.length, { timeout: 30_000, intervals: [20] }).toBeGreaterThanOrEqual(count);
}

/** Publishers that each send one update after another; what was not acknowledged is not sent again. */
class Load {
  acknowledged = [];
  #hub;
  #isOver = false;

  constructor(hub) {
    this.#hub = hub;
  }

  run() {
    return Promise.all(Array.from({ length: PUBLISHERS }, (_, publisher) => this.#publish(publisher)));
  }

  stop() {
    this.#isOver = true;
  }

  async #publish(publisher) {
    for (let number = 0; !this.#isOver; number += 1) {
      try {
        this.acknowledged.push(await this.#hub.publish(TOPIC, JSON.stringify({ publisher, number })));
      } catch {
        await sleep(20); // The hub is down.
      }
    }
  }

  /** For each publisher, the numbers of its updates in the order in which they were heard. */
  numbersByPublisher(events) {
    const numbers = Array.from({ length: PUBLISHERS }, () => []);
    for (const { data } of events) {
      if (!data.startsWith("{")) continue;
      const { publisher, number } = JSON.parse(data);
      numbers[publisher].push(number);
    }
    return numbers;
  }
}

/** The data of all that the log holds, up to the update with the ID `end`. */
async function everythingHeld(hub, end) {
  const answer = await fetch(new URL(`/topics/${TOPIC}?last_event_id=earliest`, hub.url), {
    headers: { accept: "application/x-ndjson" },
    signal: AbortSignal.timeout(20_000),
  });
  const held = [];
  let rest = "";
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines.filter(Boolean)) {
      const { id, data } = JSON.parse(line);
      held.push(data);
      if (id === end) return held;
    }
  }
  throw new Error("the stream ended too early");
}
