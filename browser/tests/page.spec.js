/**
 * The page at `/`: what a person sees first.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { launchOptions } from "../browsers.js";
import { expect, test } from "../test.js";
import { KEY, token } from "../token.js";

const CURL_TIMEOUT_MS = 10_000;
const run = promisify(execFile);
/** Runs a line as the page prints it, in a shell. */
const inShell = (line) => run("sh", ["-c", line], { timeout: CURL_TIMEOUT_MS });

const rows = (page) => page.locator("#rows .event");
const state = (page) => page.locator("#state");

async function open(page, hub, topics) {
  const query = topics ? `?${topics.map((topic) => `topic=${encodeURIComponent(topic)}`).join("&")}` : "";
  await page.goto(`${hub.url}/${query}`);
  await expect(state(page)).toHaveText("open");
}

test("it lives at once: the clock ticks, and says so", async ({ page, startHub }) => {
  const hub = await startHub();
  const violations = [];
  page.on("pageerror", (error) => violations.push(error.message));
  await open(page, hub);
  await expect(page.locator("#support")).toHaveText("This browser supports EventSource");
  const ticks = rows(page).filter({ has: page.locator(".topic", { hasText: /^clock$/ }) });
  await expect(ticks.nth(1)).toBeVisible();
  await expect(ticks.first().locator(".time")).toHaveText(/^\d\d:\d\d:\d\d\.\d{3}$/);
  await expect(ticks.first().locator(".id")).toHaveText(/^#[0-9a-z]{8}-\d+$/);
  await expect(ticks.first().locator(".data")).not.toBeEmpty();
  await expect(page.locator("#rate")).not.toHaveText("0");
  await expect(page.locator("#last-event-id")).toHaveText(/^#/);
  expect(violations).toEqual([]);
});

test("what the form publishes appears at once, with its type, ID and JSON laid out", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  const form = page.locator("#publish");
  await form.locator("[name=type]").fill("order");
  await form.locator("[name=id]").fill("order-8812");
  await form.locator("[name=data]").fill('{"order":8812,"total":12345678901234567890,"items":["a hat that is red","a coat","a pair of shoes"]}');
  await form.locator("[name=data]").press("Control+Enter");
  await expect(page.locator("#answer")).toContainText("Published as order-8812");
  const row = rows(page).first();
  await expect(row.locator(".topic")).toHaveText("greetings");
  await expect(row.locator(".type")).toHaveText("order");
  await expect(row.locator(".id")).toHaveText("order-8812");
  // The number is shown as it was sent: JavaScript's own would have lost its last digits.
  expect(await row.locator("pre").textContent()).toBe(
    '{\n  "order": 8812,\n  "total": 12345678901234567890,\n  "items": ["a hat that is red", "a coat", "a pair of shoes"]\n}',
  );
});

test("the printed curl lines do what the page does", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  const data = `it's "quoted" $HOME \`date\` \\ ünï\nand a second line`;
  await page.locator("#publish [name=topic]").fill("a/b c?d#e'f%");
  await page.locator("#publish [name=type]").fill("über & co");
  await page.locator("#publish [name=data]").fill(data);
  await page.locator("#add-topic input").fill("a/b c?d#e'f%");
  await page.keyboard.press("Enter");
  await expect(state(page)).toHaveText("open");

  const { stdout: id } = await inShell(`${await page.locator("#snippet-publish").textContent()} -sS`);
  const row = rows(page).first();
  await expect(row.locator(".topic")).toHaveText("a/b c?d#e'f%");
  await expect(row.locator(".type")).toHaveText("über & co");
  await expect(row.locator(".id")).toHaveText(id.trim());
  expect(await row.locator("pre").textContent()).toBe(data);

  const subscribing = inShell(`${await page.locator("#snippet-subscribe").textContent()} -sS -m 3`).catch(({ stdout }) => ({ stdout }));
  await page.waitForTimeout(1_000);
  await hub.publish("greetings", "to the terminal too");
  expect((await subscribing).stdout).toContain("data: to the terminal too");
  expect(await page.locator("#snippet-javascript").textContent()).toContain(`new EventSource(\n  "${hub.url}/topics?topic=clock&topic=greetings&topic=`);
});

test("the printed JavaScript hears what the page hears", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub, ["greetings"]);
  const snippet = await page.locator("#snippet-javascript").textContent();
  const lines = [];
  page.on("console", (message) => lines.push(message.text()));
  await page.goto(`${hub.url}/healthz`);
  await page.evaluate(snippet);
  await expect(async () => {
    await hub.publish("greetings", "heard");
    expect(lines).toContain("heard");
  }).toPass({ timeout: 10_000 });
});

test("strangers' data is text, wherever it stands", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  const markup = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
  await open(page, hub, [markup]);
  await hub.publish(markup, markup, { type: markup, id: markup });
  const row = rows(page).first();
  for (const cell of [".topic", ".type", ".id", "pre"]) await expect(row.locator(cell)).toHaveText(markup);
  await hub.publish(markup, JSON.stringify({ [markup]: markup }));
  await expect(rows(page)).toHaveCount(2);
  await expect(page.locator("#rows img, #rows script, #topics img, #topics script")).toHaveCount(0);
  await expect(page).toHaveTitle("Fanfare");
  const policy = (await fetch(hub.url)).headers.get("content-security-policy");
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toContain("unsafe");
});

test("it shows the connection lost and found again, and misses nothing", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  await hub.publish("greetings", "before", { retry: 500 });
  await expect(rows(page).first().locator("pre")).toHaveText("before");
  await expect(page.locator("#reconnections")).toHaveText("0");
  await hub.stop();
  await expect(state(page)).toHaveText("connecting");
  await expect(page.locator("#trouble")).toContainText("trying again");
  await hub.restart();
  await hub.publish("greetings", "meanwhile");
  await expect(state(page)).toHaveText("open");
  await expect(page.locator("#reconnections")).toHaveText("1");
  await expect(page.locator("#last-reconnection")).toHaveText(/\d/);
  await expect(rows(page).locator("pre")).toHaveText(["meanwhile", "before"]);
  await expect(page.locator("#rows .is-gap")).toHaveCount(0);
});

test("close, then reopen where it stood", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  await hub.publish("greetings", "before");
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole("button", { name: "Close" }).click();
  await expect(state(page)).toHaveText("closed");
  await hub.publish("greetings", "while closed");
  await page.waitForTimeout(500);
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole("button", { name: "Reopen" }).click();
  await expect(rows(page).locator("pre")).toHaveText(["while closed", "before"]);
});

test("a gap is a row of its own", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  await hub.publish("greetings", "lost with the log", { retry: 500 });
  await expect(rows(page)).toHaveCount(1);
  await hub.stop();
  await hub.loseData();
  await hub.restart();
  await expect(page.locator("#rows .is-gap")).toContainText("foreign-epoch");
  await hub.publish("greetings", "after");
  await expect(rows(page).first().locator("pre")).toHaveText("after");
});

test("topics are chosen, kept in the address, and all of them heard with *", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  await page.getByRole("button", { name: "Unsubscribe from greetings" }).click();
  await hub.publish("greetings", "not wanted");
  await page.getByRole("button", { name: "All topics" }).click();
  await expect(page).toHaveURL(/\?topic=clock&topic=\*$/);
  await expect(state(page)).toHaveText("open");
  await expect(async () => {
    await hub.publish("whatever", "all are");
    await expect(rows(page).first().locator("pre")).toHaveText("all are", { timeout: 500 });
  }).toPass({ timeout: 10_000 });
  await expect(rows(page).filter({ hasText: "not wanted" })).toHaveCount(0);
  await page.reload();
  await expect(page.locator(".chip")).toHaveText(["clock", "* all topics"]);
});

test("publishing to a topic that is not subscribed to offers to subscribe", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  await page.locator("#publish [name=topic]").fill("elsewhere");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: "You are not subscribed to elsewhere. Subscribe" }).click();
  await expect(page.locator(".chip")).toHaveText(["clock", "greetings", "elsewhere"]);
});

test("a refusal is told in the hub's own words", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  await page.locator("#publish [name=id]").fill("#reserved");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.locator("#answer")).toHaveText(/^400 .*'#'/);
});

test("filter, pause and clear", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  await hub.publishLines("greetings", ["one apple", "two pears", "three APPLES"]);
  await expect(rows(page)).toHaveCount(3);
  await page.locator("#filter").fill("apple");
  await expect(rows(page).filter({ visible: true })).toHaveCount(2);
  await expect(page.locator("#counts")).toHaveText("2 of 3");
  await page.locator("#filter").fill("");

  await page.getByRole("button", { name: "Pause" }).click();
  await hub.publish("greetings", "four");
  await expect(page.locator("#pause")).toHaveText("Resume · 1 new");
  await expect(rows(page)).toHaveCount(3);
  await page.locator("#pause").click();
  await expect(rows(page).first().locator("pre")).toHaveText("four");
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(rows(page)).toHaveCount(0);
});

test("twenty thousand events leave 500 rows, the newest first, and a page that answers", async ({ page, startHub }) => {
  const total = 20_000;
  const batch = 1_000;
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  for (let from = 0; from < total; from += batch) {
    const lines = Array.from({ length: batch }, (_, place) => JSON.stringify({ number: from + place + 1, note: "some words" }));
    await hub.publishLines("greetings", lines);
  }
  await expect(page.locator("#total")).toHaveText("20,000", { timeout: 30_000 });
  await expect(rows(page)).toHaveCount(500);
  await expect(rows(page).first().locator("pre")).toContainText('"number": 20000');
  await expect(rows(page).last().locator("pre")).toContainText('"number": 19501');
  await page.locator("#filter").fill("19999", { timeout: 2_000 });
  await expect(rows(page).filter({ visible: true })).toHaveCount(1);
});

test("it is used by keyboard alone", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim());
  const tabTo = async (name) => {
    for (let step = 0; step < 40 && (await focused()) !== name; step += 1) await page.keyboard.press("Tab");
    expect(await focused()).toBe(name);
  };
  await tabTo("Skip to the events");
  await tabTo("Unsubscribe from clock");
  await page.keyboard.press("Enter");
  expect(await focused(), "the focus does not get lost with its chip").toBe("Unsubscribe from greetings");
  await tabTo("Topic to add");
  await page.keyboard.type("typed");
  await page.keyboard.press("Enter");
  await expect(page.locator(".chip")).toHaveText(["greetings", "typed"]);
  await expect(state(page)).toHaveText("open");
  await tabTo("Pause");
  await page.keyboard.press("Space");
  await expect(page.locator("#pause")).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("Space");
  await tabTo("Publish");
  await page.keyboard.press("Enter");
  await expect(rows(page).first().locator("pre")).toHaveText('{ "hello": "world" }');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  expect(outline, "the focus is seen").not.toBe("none");
});

test("a hub with a key: the page says what is missing, and works with a token that it does not keep", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false", "--key", KEY);
  await page.goto(hub.url);
  await expect(state(page)).toHaveText("closed");
  await expect(page.locator("#trouble")).toHaveText(/^40[13] /);
  await page.locator("#token").fill(token({ publish: ["*"], subscribe: ["*"] }));
  await expect(state(page)).toHaveText("open");
  await page.locator("#publish [name=isPrivate]").check();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(rows(page).first().locator(".private")).toBeVisible();
  await expect(page.locator("#snippet-publish")).toContainText('"Authorization: Bearer $TOKEN"');
  await page.reload();
  await expect(page.locator("#token")).toHaveValue("");
});

for (const [where, prefix, at] of [["at a path of its own", "", "/fanfare"], ["below a prefix that a proxy takes away", "/events", "/events/"]]) {
  test(`it works ${where}`, async ({ page, startHub, startFront }) => {
    const hub = await startHub("--clock", "false");
    const front = await startFront(hub);
    front.answer = (request) => {
      request.url = request.url.split("?")[0] === at ? "/" : request.url.slice(prefix.length);
      return false;
    };
    await page.goto(`${front.url}${at}?topic=greetings`);
    await expect(state(page)).toHaveText("open");
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await expect(rows(page)).toHaveCount(1);
    await expect(page.locator("#address")).toHaveText(`${front.url}${prefix}/topics/greetings`);
    await page.getByRole("button", { name: "All topics" }).click();
    await expect(page).toHaveURL(`${front.url}${at}?topic=greetings&topic=*`);
  });
}

test("light and dark, by choice", async ({ page, startHub, browserName }) => {
  const hub = await startHub();
  await open(page, hub);
  await publishSamples(hub);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const theme = page.locator("#theme");
  await theme.click();
  const light = await paper();
  await photograph(page, `${browserName}-light`);
  await theme.click();
  const dark = await paper();
  await photograph(page, `${browserName}-dark`);
  expect(brightness(light)).toBeGreaterThan(200);
  expect(brightness(dark)).toBeLessThan(50);
  await page.reload();
  await expect(theme).toHaveAttribute("aria-label", "Theme: dark. Change to system");
  expect(await paper()).toBe(dark);
});

test("light and dark, as the system has it", async ({ startHub, playwright, browserName }) => {
  const hub = await startHub();
  const browser = await playwright[browserName].launch(launchOptions(browserName, { isDark: true }));
  try {
    // Firefox is dark by how it was launched; Chromium by what the page is told.
    const page = await browser.newPage(browserName === "chromium" ? { colorScheme: "dark" } : {});
    await page.goto(hub.url);
    expect(brightness(await page.evaluate(() => getComputedStyle(document.body).backgroundColor))).toBeLessThan(50);
  } finally {
    await browser.close();
  }
});

test("it fits a telephone", async ({ page, startHub, browserName }) => {
  const hub = await startHub();
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, hub);
  await publishSamples(hub);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
  await photograph(page, `${browserName}-narrow`);
  await page.locator("#events").scrollIntoViewIfNeeded();
  await photograph(page, `${browserName}-narrow-events`);
});

async function publishSamples(hub) {
  await hub.publish("greetings", '{"hello":"world"}');
  const order = { order: 8812, customer: { name: "Ada Lovelace", vip: true }, lines: [{ sku: "A-100", qty: 2, price: 19.5 }], note: null };
  await hub.publish("greetings", JSON.stringify(order), { type: "order" });
  await hub.publish("greetings", "plain text is welcome, too");
}

/** For people to look at; nothing compares it. */
async function photograph(page, name) {
  await page.waitForTimeout(2_500); // A few ticks, and the end of the transitions.
  await page.screenshot({ path: `test-results/page-${name}.png` });
}

function brightness(colour) {
  const [red, green, blue] = colour.match(/[\d.]+/g).map(Number);
  return (red + green + blue) / 3;
}
