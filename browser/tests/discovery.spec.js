/**
 * The page and the backend of `examples/discovery`: a page that finds the hub by what the resource says, and misses nothing.
 */
import { createServer } from "node:http";
import { once } from "node:events";
import { Backend } from "../backend.js";
import { expect, test as base } from "../test.js";
import { KEY, token } from "../token.js";

const test = base.extend({
  /** Starts a hub that admits pages of the backend, and the backend, both with these options. */
  startBoth: async ({ startHub }, use) => {
    const backends = [];
    await use(async ({ hubOptions = [], optionsFor = () => ({}) } = {}) => {
      const listen = await freeAddress();
      const hub = await startHub("--clock", "false", "--cors-origin", `http://${listen}`, ...hubOptions);
      const backend = await Backend.start(hub.url, { listen, ...optionsFor(`http://${listen}/books/1`) });
      backends.push(backend);
      return { hub, backend };
    });
    await Promise.all(backends.map((backend) => backend.remove()));
  },
});

const title = (page) => page.getByRole("heading");
const status = (page) => page.getByRole("status");

test("a page finds the hub by the resource, and shows each change", async ({ page, startBoth }) => {
  const { backend } = await startBoth();
  await page.goto(backend.url);
  await expect(title(page)).toHaveText("Dune");
  await expect(status(page)).toHaveText("connected");
  for (const name of ["Dune Messiah", "Children of Dune, or: Größe"]) {
    await backend.change(name);
    await expect(title(page)).toHaveText(name);
  }
});

test("what changes between the resource and the subscription is not missed, and nothing is that changes later", async ({ page, startBoth }) => {
  const { hub, backend } = await startBoth();
  await backend.change("seen with the resource");
  // The page has its answer, and has not subscribed yet.
  await page.route("**/books/1.json", async (route) => {
    const response = await route.fetch();
    await backend.change("in between");
    await route.fulfill({ response });
  });
  await page.goto(backend.url);
  await expect(title(page)).toHaveText("in between");
  await hub.kill();
  await hub.restart();
  await backend.change("after the hub has come back");
  await expect(title(page)).toHaveText("after the hub has come back", { timeout: 20_000 });
});

test("what is private arrives by the cookie that the backend gives, and not without", async ({ page, browser, startBoth }) => {
  const { backend } = await startBoth({
    hubOptions: ["--key", KEY, "--anonymous", "true"],
    optionsFor: (topic) => ({ token: token({ publish: [topic] }), cookie: `mercureAuthorization=${token({ subscribe: [topic] })}` }),
  });
  await page.goto(backend.url);
  await expect(status(page)).toHaveText("connected");
  await backend.change("for visitors");
  await expect(title(page)).toHaveText("for visitors");

  const stranger = await browser.newPage();
  await stranger.route("**/books/1.json", async (route) => {
    const response = await route.fetch();
    // The browser has the cookie now, of which this page is to know nothing.
    await stranger.context().clearCookies();
    const { "set-cookie": _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
  await stranger.goto(backend.url);
  await expect(status(stranger)).toHaveText("connected");
  await backend.change("for visitors again");
  await expect(title(page)).toHaveText("for visitors again");
  await expect(title(stranger)).toHaveText("for visitors");
  await stranger.close();
});

/** An address that nobody listens at. */
async function freeAddress() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { address, port } = server.address();
  server.close();
  await once(server, "close");
  return `${address}:${port}`;
}
