/**
 * The page and tokens: it asks for one where one is needed, and keeps it out of every address.
 */
import { writeFile } from "node:fs/promises";
import { expect, test } from "../test.js";
import { KEY, token } from "../token.js";

const LOCKED = ["--clock", "false", "--key", KEY];
const EVERYTHING = { publish: ["*"], subscribe: ["*"] };
/** A stream ends up to a 20th of this before it does. */
const SHORT_S = 4;

const rows = (page) => page.locator("#rows .event");
const state = (page) => page.locator("#state");
const field = (page) => page.getByLabel("Token", { exact: true }).and(page.locator("input"));

test("a locked hub: the field is open and says what to do, and the token goes into a header only", async ({ page, startHub, startFront }) => {
  const hub = await startHub(...LOCKED);
  const front = await startFront(hub);
  await page.goto(front.url);
  await expect(field(page)).toBeVisible();
  await expect(field(page)).toBeFocused();
  await expect(page.locator("#token-why")).toContainText("This hub wants a token. Paste one here");
  await expect(state(page)).toHaveText("closed");

  const secret = token(EVERYTHING);
  await page.keyboard.insertText(`Bearer ${secret}\n`);
  await expect(state(page)).toHaveText("open");
  await expect(field(page), "it is not needed any more").toBeHidden();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(rows(page)).toHaveCount(1);

  const withToken = front.requests.filter(({ headers }) => headers.authorization === `Bearer ${secret}`);
  expect(withToken.map(({ method }) => method)).toEqual(["GET", "POST"]);
  for (const { url, headers } of front.requests) expect(url + (headers.referer ?? ""), "in no address").not.toContain(secret);
  expect(page.url()).not.toContain(secret);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state]));
  expect(kept, "and nowhere that outlasts the page").not.toContain(secret);
  for (const snippet of await page.locator(".code pre").allTextContents()) expect(snippet).not.toContain(secret);
  await page.reload();
  await expect(field(page)).toHaveValue("");
  await expect(field(page)).toBeVisible();
});

test("a token that the hub does not take is refused in the hub's words, and can be mended", async ({ page, startHub }) => {
  const hub = await startHub(...LOCKED);
  await page.goto(hub.url);
  await field(page).fill(`${token(EVERYTHING)}x`);
  await expect(page.locator("#trouble")).toContainText("401");
  await expect(page.locator("#token-why")).toContainText("none of the hub's keys verifies the token's signature");
  await field(page).fill("ünïcode");
  await expect(page.locator("#token-why")).toContainText("This is not a token");
  await field(page).fill(token(EVERYTHING));
  await expect(state(page)).toHaveText("open");
});

test("a token expires: the page asks for the next at once, keeps what it shows, and goes on without a loss", async ({ page, startHub, startFront }) => {
  const hub = await startHub(...LOCKED);
  const front = await startFront(hub);
  const publisher = token(EVERYTHING);
  const publish = (data) => hub.publish("greetings", data, { token: publisher });
  await page.goto(front.url);
  await field(page).fill(token(EVERYTHING, { lasts_s: SHORT_S }));
  await expect(state(page)).toHaveText("open");
  await publish("before");
  await expect(rows(page)).toHaveCount(1);

  await expect(page.locator("#token-why")).toContainText("The token has expired. Paste a new one", { timeout: (SHORT_S + 6) * 1_000 });
  await expect(state(page)).toHaveText("closed");
  await expect(field(page)).toBeVisible();
  await expect(field(page)).toHaveValue("");
  await expect(rows(page), "what was shown stays").toHaveCount(1);
  const asked = front.subscriptions.length;
  for (const data of ["while away 1", "while away 2"]) await publish(data);

  await field(page).fill(publisher);
  await expect(state(page)).toHaveText("open");
  await publish("after");
  await expect(rows(page).locator("pre")).toHaveText(["after", "while away 2", "while away 1", "before"]);
  await expect(page.locator("#gaps")).toHaveText("0");
  expect(front.subscriptions.length, "the expired token was not tried again").toBe(asked + 1);
});

test("a key is taken away: the page says so at once, and goes on with another token", async ({ page, startHub }, info) => {
  const keys = info.outputPath("keys.json");
  const secret = (k) => ({ kty: "oct", alg: "HS256", k: Buffer.from(k).toString("base64url") });
  const other = "another secret of more than thirty-two bytes, for nobody";
  const write = (...secrets) => writeFile(keys, JSON.stringify({ keys: secrets.map(secret) }));
  await write(KEY, other);
  const hub = await startHub("--clock", "false", "--key-file", keys);
  await page.goto(hub.url);
  const good = token(EVERYTHING);
  await field(page).fill(good);
  await expect(state(page)).toHaveText("open");
  await hub.publish("greetings", "before", { token: good });
  await expect(rows(page)).toHaveCount(1);
  await write(other);
  await expect(page.locator("#token-why")).toContainText("The hub no longer accepts the token. Paste a new one", { timeout: 10_000 });
  await expect(state(page)).toHaveText("closed");
  await write(KEY, other);
  await expect(async () => hub.publish("greetings", "while away", { token: good })).toPass({ timeout: 10_000 });
  await field(page).fill(good);
  await expect(rows(page).locator("pre")).toHaveText(["while away", "before"]);
});

test("a token that expires before any event came leaves no hole either", async ({ page, startHub }) => {
  const hub = await startHub(...LOCKED);
  const publisher = token(EVERYTHING);
  await hub.publish("greetings", "long ago", { token: publisher });
  await page.goto(hub.url);
  await field(page).fill(token(EVERYTHING, { lasts_s: SHORT_S }));
  await expect(state(page)).toHaveText("open");
  await expect(page.locator("#token-why")).toContainText("The token has expired", { timeout: (SHORT_S + 6) * 1_000 });
  await hub.publish("greetings", "while away", { token: publisher });
  await field(page).fill(publisher);
  await expect(rows(page).locator("pre")).toHaveText(["while away"]);
});

test("who types elsewhere when the token expires goes on typing there", async ({ page, startHub }) => {
  const hub = await startHub(...LOCKED);
  await page.goto(hub.url);
  await field(page).fill(token(EVERYTHING, { lasts_s: SHORT_S }));
  await expect(state(page)).toHaveText("open");
  const data = page.locator("#publish [name=data]");
  await data.focus();
  await expect(page.locator("#token-why")).toContainText("The token has expired", { timeout: (SHORT_S + 6) * 1_000 });
  await expect(data).toBeFocused();
});

test("a hub that lets everybody listen: publishing is what asks for a token", async ({ page, startHub }) => {
  const hub = await startHub(...LOCKED, "--anonymous");
  await page.goto(hub.url);
  await expect(state(page)).toHaveText("open");
  await expect(field(page)).toBeHidden();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.locator("#answer")).toHaveText(/^401 .*token/);
  await expect(page.locator("#token-why")).toContainText("Publishing here wants a token");
  await field(page).fill(token({ publish: ["greetings"] }));
  await expect(state(page)).toHaveText("open");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(rows(page)).toHaveCount(1);
});

test("an open hub: the field is there for who looks for it", async ({ page, startHub }) => {
  const hub = await startHub("--clock", "false");
  await page.goto(hub.url);
  await expect(state(page)).toHaveText("open");
  await expect(field(page)).toBeHidden();
  await page.getByRole("button", { name: "Token", exact: true }).click();
  await expect(field(page)).toBeFocused();
});
