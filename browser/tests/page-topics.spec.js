/**
 * What the page subscribes to, from where on, and what its form publishes.
 */
import { expect, test } from "../test.js";

const rows = (page) => page.locator("#rows .event");
const state = (page) => page.locator("#state");
const note = (page) => page.locator("#topic-note");

async function open(page, hub, query = "") {
  await page.goto(`${hub.url}/${query}`);
  await expect(state(page)).toHaveText("open");
}

async function add(page, topic, kind) {
  await page.getByLabel("Topic to add").fill(topic);
  if (kind) await page.getByLabel("How the topic is matched").selectOption(kind);
  await page.getByLabel("Topic to add").press("Enter");
}

for (const [kind, pattern, address] of [
  ["URI Template", "orders/{id}", "template=orders%2F%7Bid%7D"],
  ["URL Pattern", "orders/:id", "match_urlpattern=orders%2F%3Aid"],
]) {
  test(`a ${kind} is heard beside names, shown, kept in the address, and printed`, async ({ page, startHub }) => {
    const hub = await startHub("--clock", "false");
    await open(page, hub);
    await add(page, pattern, kind);
    await expect(page.locator(".chip")).toHaveText(["clock", "greetings", `${kind} ${pattern}`]);
    await expect(page).toHaveURL(new RegExp(`${address}$`));
    await expect(state(page)).toHaveText("open");
    await hub.publish("orders/7", "matched", { type: "order" });
    await hub.publish("orders/7/lines", "not matched");
    await hub.publish("greetings", "by name");
    await expect(rows(page).locator("pre")).toHaveText(["by name", "matched"]);
    await expect(rows(page).last().locator(".topic")).toHaveText("orders/7");
    await expect(rows(page).last().locator(".type")).toHaveText("order");

    const printed = await page.locator("#snippet-javascript").textContent();
    await page.reload();
    await expect(page.locator(".chip")).toHaveText(["clock", "greetings", `${kind} ${pattern}`]);
    await expect(state(page)).toHaveText("open");
    await hub.publish("orders/8", "matched again");
    await expect(rows(page).first().locator("pre")).toHaveText("matched again");

    const lines = [];
    page.on("console", (message) => lines.push(message.text()));
    await page.goto(`${hub.url}/healthz`);
    await page.evaluate(printed);
    await expect(async () => {
      await hub.publish("orders/9", "heard");
      expect(lines).toContain("heard");
    }).toPass({ timeout: 10_000 });
  });
}

test("what cannot be a pattern is refused in words, and what was heard before goes on", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  for (const [kind, text, words] of [
    ["URI Template", "orders/{id", "“orders/{id” is not a URI Template"],
    ["URI Template", "orders/{}", "is not a URI Template"],
    ["URL Pattern", "orders/:id(", "“orders/:id(” was refused. 400 Bad Request"],
    ["Exact", "a\u200bb", "was refused. 400 Bad Request"],
    ["Exact", "x".repeat(5_000), "was refused. 400 Bad Request"],
  ]) {
    await add(page, text, kind);
    await expect(note(page)).toContainText(words);
    await expect(page.locator(".chip")).toHaveText(["clock", "greetings"]);
    await expect(page).not.toHaveURL(/orders|xxxx|%E2/);
    await expect(state(page)).toHaveText("open");
  }
  await hub.publish("greetings", "still heard");
  await expect(rows(page)).toHaveCount(1);
  await add(page, "orders/{id}", "URI Template");
  await add(page, "orders/:id", "URL Pattern");
  await expect(note(page)).toContainText("cannot share a connection");
  await expect(page.locator(".chip")).toHaveText(["clock", "greetings", "URI Template orders/{id}"]);
});

test("a pattern that was added as a name is offered as what it looks like", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub, "?topic=greetings");
  await add(page, "orders/{id}");
  await expect(page.locator(".chip").last()).toHaveText("orders/{id}");
  await page.getByRole("button", { name: "Match it as a URI Template" }).click();
  await expect(page.locator(".chip")).toHaveText(["greetings", "URI Template orders/{id}"]);
  await expect(state(page)).toHaveText("open");
  await hub.publish("orders/1", "matched");
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole("button", { name: "Unsubscribe from orders/{id}" }).click();
  await add(page, "books/*");
  await page.getByRole("button", { name: "Match it as a URL Pattern" }).click();
  await expect(page.locator(".chip").last()).toHaveText("URL Pattern books/*");
});

test("it starts after an ID, and from the earliest", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  const ids = await hub.publishLines("greetings", ["1", "2", "3", "4"]);
  await open(page, hub);
  await page.getByText("Options", { exact: true }).click();
  const start = page.getByLabel("Start after ID");
  await start.fill(ids[1]);
  await start.press("Enter");
  await expect(rows(page).locator("pre")).toHaveText(["4", "3"]);
  await start.fill("earliest");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await expect(rows(page).locator("pre")).toHaveText(["4", "3", "2", "1"]);
  await expect(page.getByLabel("Begin with everything the hub still holds")).toBeChecked();
  await start.fill("nobody's ID");
  await start.press("Enter");
  await expect(page.locator("#rows .is-gap")).toContainText("unknown");
  await expect(page.locator("#gaps")).toHaveText("1");
  await start.fill("");
  await start.press("Enter");
  await expect(rows(page)).toHaveCount(0);
  await expect(state(page)).toHaveText("open");
  await page.getByLabel("Begin with everything the hub still holds").check();
  await expect(rows(page)).toHaveCount(4);
});

test("the form publishes to several topics, with retry; and so does the printed line", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub, "?topic=second");
  const form = page.locator("#publish");
  await form.locator("[name=topic]").fill("first");
  await form.getByLabel("Also to these topics").fill("second\n\n  a b, c \n");
  await form.getByLabel("Retry").fill("4000");
  const raw = await fetch(new URL("/topics/second", hub.url), { signal: AbortSignal.timeout(20_000) });
  await form.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(rows(page)).toHaveCount(1);
  const reader = raw.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("hello")) text += (await reader.read()).value;
  expect(text).toContain("retry: 4000\n");
  await expect(page.locator("#snippet-publish")).toContainText("/topics/first?topic=second&topic=a%20b%2C%20c&retry=4000");
  await expect(page.locator("#subscribe-too"), "it is heard by another of its topics").toBeHidden();

  await form.getByLabel("Retry").fill("soon");
  await form.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.locator("#answer")).toHaveText(/^400 .*'retry' must be a number of milliseconds/);
});

test("many topics scroll, and what is below stays where it is", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  const names = (count) => `?${Array.from({ length: count }, (_, place) => `topic=a-topic-with-a-name-${place}`).join("&")}`;
  await open(page, hub, names(21));
  const chips = page.locator("#topics");
  const shape = () => chips.evaluate(({ scrollHeight, clientHeight }) => ({ scrollHeight, clientHeight }));
  const few = await shape();
  expect(few.scrollHeight).toBeGreaterThan(few.clientHeight);
  await open(page, hub, names(90));
  const many = await shape();
  expect(many.clientHeight).toBe(few.clientHeight);
  await expect(page.locator("#table")).toBeInViewport({ ratio: 0.9 });
  await add(page, "the-last-one");
  await expect(page.locator(".chip").last()).toBeInViewport();
  await page.getByRole("button", { name: "Unsubscribe from a-topic-with-a-name-0", exact: true }).focus();
  await expect(page.locator(".chip").first()).toBeInViewport();
});
