/**
 * Libraries of other people's making that pages use with Mercure hubs, in pages of another origin than the hub's. The same and more
 * are tried without a browser in `interop/`; here the browser adds what it allows pages.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "../test.js";
import { KEY, token } from "../token.js";

const MODULES = path.join(import.meta.dirname, "../node_modules");
const TOPIC = "https://example.com/books/1";

/** A hub, and a page of another origin that it admits. */
async function start(page, startHub) {
  const elsewhere = await startHub("--clock", "false");
  await page.goto(new URL("/healthz", elsewhere.url).href);
  const hub = await startHub("--clock", "false", "--key", KEY, "--anonymous", "true", "--cors-origin", elsewhere.url);
  const publish = (data) => hub.publish(TOPIC, JSON.stringify({ "@id": data }), { token: token({ publish: ["*"] }), private: "on", retry: 100 });
  return { hub, url: new URL("/.well-known/mercure", hub.url).href, publish };
}

test("event-source-polyfill, with a header, which asks the hub first, and goes on behind its end", async ({ page, startHub }) => {
  const { hub, url, publish } = await start(page, startHub);
  await page.addScriptTag({ content: await readFile(path.join(MODULES, "event-source-polyfill/src/eventsource.js"), "utf8") });
  await page.evaluate(
    ({ url, token }) => {
      window.heard = [];
      const headers = { Authorization: `Bearer ${token}` };
      const source = new EventSourcePolyfill(url, { headers, lastEventIdQueryParameterName: "lastEventID" });
      source.onopen = () => (window.isOpen = true);
      source.onmessage = ({ data }) => heard.push(JSON.parse(data)["@id"]);
    },
    { url: `${url}?topic=${encodeURIComponent("https://example.com/books/{id}")}`, token: token({ subscribe: ["https://example.com/books/{id}"] }) },
  );
  await page.waitForFunction(() => window.isOpen);
  await publish("before");
  await expect.poll(() => page.evaluate(() => heard)).toEqual(["before"]);
  await hub.kill();
  await hub.restart();
  await publish("meanwhile");
  await expect.poll(() => page.evaluate(() => heard), { timeout: 30_000 }).toEqual(["before", "meanwhile"]);
});

/** The part of it that speaks with the hub; the rest is React's. It sets the cookie itself. */
test("API Platform's admin, with a cookie that the page sets", async ({ page, startHub }) => {
  const { hub, url, publish } = await start(page, startHub);
  await page.route("**/mercure/*.js", async (route) => {
    const name = path.basename(new URL(route.request().url()).pathname);
    const body = await readFile(path.join(MODULES, "@api-platform/admin/lib/mercure", name), "utf8");
    await route.fulfill({ body, contentType: "text/javascript" });
  });
  await page.evaluate(
    async ({ hub, jwt, topic }) => {
      const { default: manager } = await import("/mercure/manager.js");
      window.heard = [];
      manager.setMercureOptions({ hub, jwt, topicUrl: "https://example.com/" });
      manager.subscribe("book", topic, (book) => heard.push(book["@id"]));
    },
    { hub: url, jwt: token({ subscribe: [TOPIC] }), topic: "/books/1" },
  );
  // It does not tell when it is subscribed.
  await expect(async () => {
    await publish("first");
    expect(await page.evaluate(() => heard)).toContain("first");
  }).toPass({ timeout: 10_000 });
  await hub.kill();
  await hub.restart();
  await publish("meanwhile");
  await expect.poll(() => page.evaluate(() => heard.at(-1)), { timeout: 30_000 }).toBe("meanwhile");
});
