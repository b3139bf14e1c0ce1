/**
 * The place from which the page continues when nothing but the hub's own events has arrived: the ID of a start event
 * (`fanfare.start`), of an end (`fanfare.end`), or the one in the header of the answer.
 */
import { expect, test } from "../test.js";

const rows = (page) => page.locator("#rows .event");
const state = (page) => page.locator("#state");
const lastEventId = (page) => page.locator("#last-event-id");
const placesOf = (front) => front.subscriptions.map(({ headers }) => headers["last-event-id"]);

/** Breaks the page's connection, and keeps it away until `meanwhile` is done. */
async function breakDuring(page, front, meanwhile) {
  front.answer = (request, response) => request.url.startsWith("/topics") && response.destroy();
  front.cut();
  await expect(state(page)).toHaveText("connecting");
  await meanwhile();
  front.answer = () => false;
  await page.getByRole("button", { name: "Try now" }).click();
  await expect(state(page)).toHaveText("open");
}

for (const option of ["on", "off"]) {
  test(`--start-event ${option}: a connection that breaks before any update loses nothing`, async ({ page, startHub, startFront }) => {
    const hub = await startHub("--clock", "false", "--start-event", option);
    const front = await startFront(hub);
    const before = await hub.publish("greetings", "long ago");
    await page.goto(`${front.url}/?topic=greetings`);
    await expect(state(page)).toHaveText("open");
    await expect(lastEventId(page)).toHaveText(option === "on" ? before : "none yet");
    await breakDuring(page, front, () => hub.publish("greetings", "while away"));
    await expect(rows(page).locator("pre")).toHaveText(["while away"]);
    await expect(page.locator("#gaps")).toHaveText("0");
  });
}

test("a start event is no update: neither listed nor counted, but its place is shown, and continued from", async ({ page, startHub, startFront }) => {
  const hub = await startHub("--clock", "false", "--heartbeat-interval", "1s");
  const front = await startFront(hub);
  await page.goto(`${front.url}/?topic=greetings`);
  await expect(lastEventId(page)).toHaveText(/^#[0-9a-z]{8}-0$/);
  await hub.publish("greetings", "first");
  await expect(rows(page)).toHaveCount(1);
  const passed = await hub.publish("elsewhere", "");
  await expect(lastEventId(page)).toHaveText(passed);
  await expect(rows(page)).toHaveCount(1);
  await expect(page.locator("#total")).toHaveText("1");
  await page.getByLabel("Topic to add").fill("other");
  await page.getByLabel("Topic to add").press("Enter");
  await expect.poll(() => placesOf(front), "also with other topics").toEqual([undefined, passed]);
  await expect(state(page)).toHaveText("open");
  await breakDuring(page, front, () => hub.publish("greetings", "while away"));
  expect(placesOf(front).at(-1)).toBe(passed);
  await expect(rows(page).locator("pre")).toHaveText(["while away", "first"]);
  await expect(page.locator("#gaps")).toHaveText("0");
});

test("close before any update, then reopen: nothing is lost", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await page.goto(`${hub.url}/?topic=greetings`);
  await expect(lastEventId(page)).toHaveText(/^#/);
  await page.getByRole("button", { name: "Close" }).click();
  await expect(state(page)).toHaveText("closed");
  await hub.publish("greetings", "while closed");
  await page.getByRole("button", { name: "Reopen" }).click();
  await expect(rows(page).locator("pre")).toHaveText(["while closed"]);
});

test("other topics before any update: the start that the person chose counts, and not a place", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false", "--heartbeat-interval", "1s");
  await page.goto(`${hub.url}/?topic=greetings`);
  await expect(state(page)).toHaveText("open");
  await page.getByText("Options", { exact: true }).click();
  await page.getByLabel("Begin with everything the hub still holds").check();
  const passed = await hub.publish("elsewhere", "held");
  await expect(lastEventId(page)).toHaveText(passed);
  await page.getByLabel("Topic to add").fill("elsewhere");
  await page.getByLabel("Topic to add").press("Enter");
  await expect(rows(page).locator("pre")).toHaveText(["held"]);
});

test("an end with the reason “now” is no update: the page continues from its place", async ({ page, startHub, startFront }) => {
  const hub = await startHub("--clock", "false");
  const front = await startFront(hub);
  // The page itself never asks for that; a proxy can.
  front.answer = (request) => {
    if (request.url.startsWith("/topics")) request.url += "&until=now";
    return false;
  };
  await page.goto(`${front.url}/?topic=greetings`);
  await expect(lastEventId(page)).toHaveText(/^#/);
  await hub.publish("greetings", "1", { retry: 200 });
  await expect(rows(page).locator("pre")).toHaveText(["1"]);
  const passed = await hub.publish("elsewhere", "");
  await expect(lastEventId(page)).toHaveText(passed);
  await hub.publish("greetings", "2");
  await expect(rows(page).locator("pre")).toHaveText(["2", "1"]);
  await expect(page.locator("#token")).toBeHidden();
});

test("a start event does not make a connection a good one: the page waits longer each time", async ({ page, startHub, startFront }) => {
  const hub = await startHub("--clock", "false");
  const front = await startFront(hub);
  const start = 'retry: 500\nevent: fanfare.start\nid: #00000000-0\ndata: {"place":"#00000000-0"}\n\n';
  front.answer = (request, response) => {
    if (!request.url.startsWith("/topics")) return false;
    response.writeHead(200, { "content-type": "text/event-stream" }).end(start);
    return true;
  };
  await page.goto(front.url);
  await expect(page.locator("#trouble")).toContainText(/The connection has ended; trying again in [45] s/, { timeout: 15_000 });
  expect(front.subscriptions).toHaveLength(4);
});
