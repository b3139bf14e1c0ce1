/**
 * The page's stream behaves as an EventSource does: its parser beside the browser's own, then breaks, waits and refusals.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { expect, test } from "../test.js";

const rows = (page) => page.locator("#rows .event");
const state = (page) => page.locator("#state");
const bytes = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));

/** The types of events that the cases below have; `end` is behind each case. */
const TYPES = ["message", "x", "data", " x", "x ", "end"];
/**
 * Rules of the standard (WHATWG HTML, 9.2.5 and 9.2.6), one or a few in each. None has a block with an ID and no data, or a NUL in a
 * value: Firefox departs from the standard there, so the next test says what has to come.
 */
const CASES = {
  "an event": "data: a\n\n",
  "several lines": "data: a\ndata: b\ndata\n\n",
  "no value, no colon": "data\n\ndata\ndata\n\ndata:\n\n",
  "one space is taken, no tab": "data:a\ndata: b\ndata:  c\ndata:\td\n\n",
  "ends of lines, mixed": "data: a\rdata: b\r\ndata: c\n\r\ndata: d\r\rdata: e\n\n",
  "ends of lines that are none": "data: a\u2028b\u2029c\u0085d\u000be\u000cf\n\n",
  "a byte order mark": bytes("\ufeff", "data: a\n\n"),
  "two byte order marks": bytes("\ufeff\ufeff", "data: a\n\ndata: b\n\n"),
  "a late byte order mark": "data: a\n\n\ufeffdata: b\n\ndata: \ufeffc\n\n",
  "comments": ":\ndata: a\n:b\n: data: c\n::\n:\0\ndata: d\n\n:\n\n",
  "types": "event: x\ndata: a\n\ndata: b\n\nevent: x\nevent:\ndata: c\n\nevent: data\nevent: x\ndata: d\n\n",
  "a type without data": "event: x\n\ndata: a\n\n",
  "names as they are": "Data: a\n data: b\ndata : c\nda-ta: d\ndata\0: e\nEVENT: x\ndata: f\n\n",
  "a type keeps its spaces": "event:  x\ndata: a\n\nevent: x \ndata: b\n\n",
  "IDs stay": "id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n",
  "an empty ID": "id: 1\ndata: a\n\nid\ndata: b\n\nid: 3\ndata: c\n\nid:\ndata: d\n\n",
  "colons": "data: a:b: c\n\ndata::\n\nid: x:1\ndata: :\n\n",
  "unknown fields": "foo: bar\nfoo\ndata: a\n\n",
  "characters of many bytes": "data: é ü … 😀 日本\nid: …\nevent: x\n\n",
  "bytes that are not UTF-8": bytes("data: a", [0xff, 0xc3], "b", [0xe2, 0x82], "\n\ndata: ", [0xed, 0xa0, 0x80], "\n\n"),
  "retry": "retry: 1000x\nretry: +5\nretry:\nretry: 1.5\nretry: 09000\ndata: a\n\n",
  "blank lines": "\n\n\n\ndata: a\n\n\n\n\n",
};
const END = "\n\nid: end\nevent: end\ndata: end\n\n";

test("the parser hears what the browser's own EventSource hears, however the bytes are cut", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  const streams = Object.values(CASES).map((stream) => bytes(stream, END));
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "access-control-allow-origin": "*" });
    response.write(streams[Number(request.url.slice(1))]);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  try {
    await page.goto(`${hub.url}/healthz`);
    for (const [place, name] of Object.keys(CASES).entries()) {
      const heard = await page.evaluate(hearBoth, { url: `${origin}/${place}`, stream: [...streams[place]], types: TYPES });
      expect(heard.native.length, name).toBeGreaterThan(0);
      for (const [cut, events] of Object.entries(heard.cuts)) expect(events, `${name}, ${cut}`).toEqual(heard.native);
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

/** In the page: what an EventSource hears of `url`, and what the parser makes of the same bytes. */
async function hearBoth({ url, stream, types }) {
  const native = await new Promise((resolve, reject) => {
    const events = [];
    const source = new EventSource(url);
    setTimeout(() => reject(new Error("no end")), 10_000);
    for (const wanted of types) {
      source.addEventListener(wanted, ({ type, data, lastEventId }) => {
        if (type === "end") {
          source.close();
          resolve(events);
        } else events.push({ type, data, lastEventId });
      });
    }
  });
  const { EventStreamParser } = await import("/fanfare/event-stream.js");
  const parse = (lengthOf) => {
    const events = [];
    const parser = new EventStreamParser((event) => event.type === "end" || events.push(event));
    const decoder = new TextDecoder();
    for (let at = 0; at < stream.length; ) {
      const length = lengthOf(at);
      parser.push(decoder.decode(Uint8Array.from(stream.slice(at, at + length)), { stream: true }));
      at += length;
    }
    return events.filter(({ type }) => types.includes(type));
  };
  return { native, cuts: { whole: parse(() => stream.length), "byte by byte": parse(() => 1), "in threes": parse(() => 3), uneven: parse((at) => 1 + (at % 7)) } };
}

test("the parser: retry, the end of a stream, IDs over connections, limits", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await page.goto(`${hub.url}/healthz`);
  const result = await page.evaluate(async () => {
    const { EventStreamParser } = await import("/fanfare/event-stream.js");
    const parsed = (text, options) => {
      const events = [];
      const parser = new EventStreamParser((event) => events.push(event), options);
      for (const piece of [text].flat()) parser.push(piece);
      return { events, retry: parser.reconnectionTime, lastEventId: parser.lastEventId };
    };
    const fails = (text) => {
      try {
        parsed(text, { maxLength: 10 });
        return false;
      } catch (error) {
        return error instanceof RangeError;
      }
    };
    return {
      retries: ["retry: 03000\n", "retry: 5", "retry: +5\n", "retry: 1000x\n", "retry:\n", "retry: 7\nretry: x\n"].map((text) => parsed(text).retry),
      atCr: parsed("data: a\r\r").events.length,
      cut: parsed(["data: a\r", "\n\r", "\n", "data: b\n", "\n"]).events.map(({ data }) => data),
      incomplete: parsed("id: 1\ndata: a\n\nid: 2\ndata: b\n"),
      kept: parsed("data: a\n\n", { lastEventId: "before" }).events[0].lastEventId,
      nulInId: parsed("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid: \0\ndata: c\n\n").events.map(({ data, lastEventId }) => data + lastEventId),
      nulInData: parsed("data: a\0b\n\n").events[0].data,
      onlyId: parsed("id: 5\n\ndata: a\n\n").events[0].lastEventId,
      limits: ["data: 1234", "data: 12345", "data:123\ndata:123\ndata:123\ndata:123\n", [":123456", "789012"]].map(fails),
    };
  });
  expect(result).toEqual({
    retries: [3000, null, null, null, null, 7],
    atCr: 1,
    cut: ["a", "b"],
    incomplete: { events: [{ type: "message", data: "a", lastEventId: "1" }], retry: null, lastEventId: "1" },
    kept: "before",
    nulInId: ["a1", "b1", "c1"],
    nulInData: "a\0b",
    onlyId: "5",
    limits: [false, true, true, true],
  });
});

test("waits: as the hub says, longer each time, spread, and never beyond what a timer can", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await page.goto(`${hub.url}/healthz`);
  const waits = await page.evaluate(async () => {
    const { Backoff } = await import("/fanfare/patience.js");
    const backoff = new Backoff();
    const next = (count, chance = 0, atLeast) => Array.from({ length: count }, () => backoff.next(atLeast, chance));
    const first = next(6);
    backoff.succeeded();
    const again = next(1);
    backoff.succeeded();
    backoff.reconnectionTime = 0;
    const none = next(3);
    backoff.reconnectionTime = 60_000;
    const long = next(2);
    backoff.reconnectionTime = 1e15;
    return { first, again, none, long, most: next(1), asked: ((backoff.reconnectionTime = 1_000), backoff.succeeded(), next(1, 1, 9_000)) };
  });
  expect(waits).toEqual({
    first: [2_000, 4_000, 8_000, 16_000, 30_000, 30_000],
    again: [2_000],
    none: [0, 500, 1_000],
    long: [60_000, 60_000],
    most: [2 ** 31 - 1],
    asked: [11_250],
  });
});

test("a connection that breaks goes on from its place, in a header", async ({ page, startHub, startFront }) => {
  const hub = await startHub("--clock", "false");
  const front = await startFront(hub);
  await page.goto(`${front.url}/?topic=greetings`);
  await expect(state(page)).toHaveText("open");
  await hub.publish("greetings", "one", { retry: 200, id: "…ID" });
  await expect(rows(page)).toHaveCount(1);
  for (const data of ["two", "three"]) {
    front.cut();
    await hub.publish("greetings", data);
  }
  await expect(rows(page).locator("pre")).toHaveText(["three", "two", "one"]);
  const [first, second] = front.subscriptions;
  expect(first.headers["last-event-id"]).toBeUndefined();
  expect(Buffer.from(second.headers["last-event-id"], "latin1").toString()).toBe("…ID");
  expect(second.url).toBe(first.url);
});

test("what may pass is waited for, with the words of who refuses", async ({ page, startHub, startFront }) => {
  const hub = await startHub("--clock", "false");
  const front = await startFront(hub);
  let refusals = 0;
  front.answer = (request, response) => {
    if (!request.url.startsWith("/topics") || refusals === 2) return false;
    refusals += 1;
    response.writeHead(503, { "content-type": "text/plain", "retry-after": "1" }).end("the hub is being upgraded\n");
    return true;
  };
  await page.goto(front.url);
  await expect(page.locator("#trouble")).toContainText("503 Service Unavailable: the hub is being upgraded; trying again in");
  await expect(state(page)).toHaveText("open");
  expect(refusals).toBe(2);
});

const REFUSALS = {
  "a hub behind a proxy": {
    status: 403,
    type: "application/problem+json",
    body: JSON.stringify({ status: 403, title: "Forbidden", detail: "a proxy passed this request on; give the hub keys, or set open-behind-proxy" }),
    words: "403 Forbidden: a proxy passed this request on; give the hub keys, or set open-behind-proxy",
  },
  "a server that says it in JSON of its own": { status: 404, type: "application/json", body: '{"error":"no such stream"}', words: "404 Not Found: no such stream" },
  "a proxy's page": { status: 410, type: "text/html", body: "<h1>gone</h1><img src=x onerror=alert(1)>", words: "410 Gone" },
  "a page in place of the stream": { status: 200, type: "text/html; charset=utf-8", body: "<h1>log in</h1>", words: "200 OK, but not an event stream: text/html" },
  "no content": { status: 204, words: "204 No Content: the server asks not to come back" },
};

for (const [name, { status, type, body, words }] of Object.entries(REFUSALS)) {
  test(`a refusal ends it, and is told: ${name}`, async ({ page, startHub, startFront }) => {
    const hub = await startHub("--clock", "false");
    const front = await startFront(hub);
    front.answer = (request, response) => {
      if (!request.url.startsWith("/topics")) return false;
      response.writeHead(status, type && { "content-type": type }).end(body);
      return true;
    };
    await page.goto(front.url);
    await expect(page.locator("#trouble")).toContainText(words);
    await expect(state(page)).toHaveText("closed");
    await expect(page.locator("#token"), "no token would help").toBeHidden();
    await expect(page.locator("#trouble img, #trouble h1")).toHaveCount(0);
    if (status < 400) return;
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await expect(page.locator("#answer")).toContainText(words);
  });
}

test("a connection that has died without a word is noticed", async ({ page, startHub, startFront }) => {
  const hub = await startHub("--clock", "false");
  const front = await startFront(hub);
  let silent = true;
  front.answer = (request, response) => {
    if (!request.url.startsWith("/topics") || !silent) return false;
    response.writeHead(200, { "content-type": "text/event-stream" }).write(":\n");
    return true;
  };
  await page.clock.install();
  await page.goto(front.url);
  await expect(state(page)).toHaveText("open");
  silent = false;
  await page.clock.fastForward("01:01");
  await expect(page.locator("#trouble")).toContainText(/Nothing has come for 6\d s, .*; trying again in \d s/);
  await expect(state(page)).toHaveText("open");
  expect(front.subscriptions.length).toBe(2);
});

test("the stream ends with the page", async ({ page, startHub, startFront }) => {
  const hub = await startHub("--clock", "false");
  const front = await startFront(hub);
  let open = 0;
  front.answer = (request, response) => {
    if (request.url.startsWith("/topics")) {
      open += 1;
      response.on("close", () => (open -= 1));
    }
    return false;
  };
  await page.goto(front.url);
  await expect(state(page)).toHaveText("open");
  expect(open).toBe(1);
  await page.goto(`${front.url}/healthz`);
  await expect.poll(() => open).toBe(0);
  await page.goBack();
  await expect(state(page)).toHaveText("open");
  expect(open).toBe(1);
});

test("gaps stay counted in the connection card, also when the list is cleared", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await page.goto(hub.url);
  await expect(state(page)).toHaveText("open");
  await expect(page.locator("#gaps")).toHaveText("0");
  await hub.publish("greetings", "lost with the log", { retry: 200 });
  await expect(rows(page)).toHaveCount(1);
  for (const gaps of ["1", "2"]) {
    await hub.stop();
    await hub.loseData();
    await hub.restart();
    await expect(page.locator("#gaps")).toHaveText(gaps);
    await expect(state(page)).toHaveText("open");
  }
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(rows(page)).toHaveCount(0);
  await expect(page.locator("#gaps")).toHaveText("2");
});
