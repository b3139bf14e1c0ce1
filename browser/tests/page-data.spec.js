/**
 * The data of events in the page: large JSON, copies and downloads, and the list by keyboard.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, test } from "../test.js";

const rows = (page) => page.locator("#rows .event");
/** The longest that the page may be busy at a time, on a machine that does other things as well. */
const LONGEST_TASK_MS = 1_500;

async function open(page, hub) {
  await page.goto(`${hub.url}/?topic=greetings`);
  await expect(page.locator("#state")).toHaveText("open");
}

/** JSON of a little less than a megabyte, in one line. */
function largeJson() {
  const items = Array.from({ length: 9_200 }, (_, number) => ({ number, name: `item ${number}`, note: "some words that make it longer than a line of 72", ok: true }));
  return JSON.stringify({ items, last: 12345678901234567890n.toString() }).replace('"12345678901234567890"', "12345678901234567890");
}

test("a megabyte of JSON is laid out when it is opened, and the page does not stand still", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  await page.evaluate(() => {
    window.longest = 0;
    let before = performance.now();
    const beat = () => {
      const now = performance.now();
      window.longest = Math.max(window.longest, now - before);
      before = now;
      setTimeout(beat, 5);
    };
    beat();
  });
  const json = largeJson();
  expect(json.length).toBeGreaterThan(850_000);
  await hub.publish("greetings", json);
  const data = rows(page).first().locator("pre");
  await expect(data).toContainText('{\n  "items": [\n    {\n      "number": 0,');
  expect((await data.textContent()).length, "the beginning is enough for the list").toBeLessThan(5_000);
  const button = rows(page).getByRole("button", { name: /Show all/ });
  await button.click();
  await expect(data).toContainText('\n  ],\n  "last": 12345678901234567890\n}', { timeout: 30_000, useInnerText: false });
  await expect(data).not.toHaveAttribute("aria-busy", /./);
  expect((await data.textContent()).replaceAll(/\s/g, "")).toBe(json.replaceAll(" ", ""));
  expect(await page.evaluate(() => window.longest)).toBeLessThan(LONGEST_TASK_MS);
  await rows(page).getByRole("button", { name: "Show less" }).click();
  expect((await data.textContent()).length, "and what is folded takes no room").toBeLessThan(5_000);
});

test("large text that is not JSON is shown whole, too", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  const text = `{ not JSON: ${"wörter 😀 ".repeat(40_000)}`;
  await hub.publish("greetings", text);
  await rows(page).getByRole("button", { name: /Show all/ }).click();
  await expect.poll(async () => (await rows(page).locator("pre").textContent()) === text, { timeout: 30_000 }).toBe(true);
});

const AWKWARD = [
  ["line ends of every kind, spaces, a byte order mark", "\ufeff a\r\nb\rc\n\n\t d \n"],
  ["characters beyond the first plane, NUL", "😀\0é\u2028x"],
  ["markup", "<script>alert(1)</script>"],
  ["JSON as it was written", '{"n":1.10,"big":100000000000000000001,\r\n "a" : [ ] }'],
  ["a megabyte", JSON.stringify(Array.from({ length: 60_000 }, (_, place) => place * 1_000))],
];

for (const [name, text] of AWKWARD) {
  test(`downloads and copies are the data, byte for byte: ${name}`, async ({ page, startHub, browserName }) => {
    const hub = await startHub("--clock", "false");
    await open(page, hub);
    await hub.publish("greetings", text);
    const row = rows(page).first();
    await row.hover();
    const press = () => row.getByRole("button", { name: /^Download the data of #/ }).click();
    const saved = browserName === "chromium" ? await downloaded(page, press) : await handedOver(page, press);
    expect(saved.digest).toBe(createHash("sha256").update(text).digest("hex"));
    expect(saved.name).toMatch(/^greetings-[\w-]+\.(json|txt)$/);

    // Read where the page hands it over: what a system's clipboard makes of line ends is its own.
    await page.evaluate(() => {
      navigator.clipboard.writeText = async (text) => void (window.copied = text);
    });
    await row.getByRole("button", { name: /^Copy the data of #/ }).click();
    expect(await page.evaluate(() => window.copied)).toBe(text);
    await expect(page.locator("#announcer")).toHaveText("Copied");
  });
}

async function downloaded(page, press) {
  const [download] = await Promise.all([page.waitForEvent("download"), press()]);
  const bytes = await readFile(await download.path());
  return { name: download.suggestedFilename(), digest: createHash("sha256").update(bytes).digest("hex") };
}

/** The same where the driver hears of no downloads, as that of Firefox does not: what the page gives to the browser. */
async function handedOver(page, press) {
  await page.evaluate(() => {
    const { createObjectURL } = URL;
    URL.createObjectURL = (blob) => createObjectURL.call(URL, (window.handed = blob));
    HTMLAnchorElement.prototype.click = function () {
      window.handedName = this.download;
    };
  });
  await press();
  return page.evaluate(async () => {
    const digest = await crypto.subtle.digest("SHA-256", await window.handed.arrayBuffer());
    return { name: window.handedName, digest: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("") };
  });
}

test("without a clipboard, as over plain HTTP from another machine, it copies nevertheless", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  await hub.publish("greetings", "a\r\nb");
  await page.evaluate(() => {
    Object.defineProperty(navigator, "clipboard", { value: undefined });
    addEventListener("copy", ({ clipboardData }) => (window.copied = clipboardData.getData("text/plain")));
  });
  await rows(page).first().getByRole("button", { name: /^Copy/ }).click();
  await expect(page.locator("#announcer")).toHaveText("Copied");
  expect(await page.evaluate(() => window.copied)).toBe("a\r\nb");
});

test("the rows by keyboard: one stop, arrows between them, and the buttons of one", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await open(page, hub);
  await hub.publishLines("greetings", ["one", "two", "three"]);
  await expect(rows(page)).toHaveCount(3);
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.querySelector("pre")?.textContent);
  await page.locator("#table").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  expect(await focused()).toBe("two");
  await hub.publish("greetings", "four");
  await expect(rows(page)).toHaveCount(4);
  expect(await focused(), "arrivals do not move it").toBe("two");
  await page.keyboard.press("Tab");
  expect(await focused()).toMatch(/^Copy the data of/);
  await page.keyboard.press("Tab");
  expect(await focused()).toMatch(/^Download the data of/);
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement.closest(".events")), "behind them the list is over").toBeNull();
  await page.locator("#table").focus();
  await page.keyboard.press("End");
  expect(await focused()).toBe("one");
  await page.keyboard.press("Home");
  expect(await focused()).toBe("four");
});
