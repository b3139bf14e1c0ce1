/**
 * `test` with what every file here needs: `startHub`, whose hubs end with the test; `startHubWithPages`, which serves
 * `pages/` from its own origin; `startSite`, which serves them from another; `startFront`, which stands before a hub; and
 * `native`, an EventSource that is the browser's own, in a page that is nobody's.
 */
import { test as base } from "@playwright/test";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { Front } from "./front.js";
import { Hub } from "./hub.js";

export { expect } from "@playwright/test";

const PAGES = path.join(import.meta.dirname, "pages");

export const test = base.extend({
  startHub: async ({}, use) => {
    const hubs = [];
    await use(async (...options) => {
      const hub = await Hub.start(options);
      hubs.push(hub);
      return hub;
    });
    await Promise.all(hubs.map((hub) => hub.remove()));
  },

  startHubWithPages: async ({ startHub }, use) => {
    const directories = [];
    await use(async (...options) => {
      const directory = await mkdtemp(path.join(tmpdir(), "fanfare-pages-"));
      directories.push(directory);
      const hub = await startHub("--static", directory, ...options);
      for (const name of await readdir(PAGES)) await writeFile(path.join(directory, name), await pageFor(hub.port, name));
      return hub;
    });
    for (const directory of directories) await rm(directory, { recursive: true });
  },

  startSite: async ({}, use) => {
    const sites = [];
    await use(async () => {
      const site = await startSite();
      sites.push(site);
      return site;
    });
    for (const { server } of sites) {
      server.close();
      server.closeAllConnections();
    }
  },

  startFront: async ({}, use) => {
    const fronts = [];
    await use(async (hub) => {
      const front = await Front.start(hub.url);
      fronts.push(front);
      return front;
    });
    for (const front of fronts) front.remove();
  },

  native: async ({ page }, use) => {
    await use((hub, address, types) => openNative(page, hub, address, types));
  },
});

/** A page as it is served: the hub's port is put in, nothing else is changed. */
async function pageFor(port, name) {
  return (await readFile(path.join(PAGES, name), "utf8")).replaceAll("PORT", port);
}

/** A site that serves `pages/` from an origin that is not the hub's. `site.hubPort` is the port that they name. */
async function startSite() {
  const site = { hubPort: 0 };
  site.server = createServer(async (request, response) => {
    try {
      const page = await pageFor(site.hubPort, path.basename(request.url));
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      response.end(page);
    } catch {
      response.writeHead(404).end();
    }
  });
  site.server.listen(0, "127.0.0.1");
  await once(site.server, "listening");
  site.origin = `http://127.0.0.1:${site.server.address().port}`;
  return site;
}

/**
 * Opens an EventSource at `address` of `hub` and notes what it hears.
 *
 * @param {string[]} types event types to listen to, beside open, error and message
 */
async function openNative(page, hub, address, types = []) {
  await page.goto(new URL("/healthz", hub.url).href);
  await page.evaluate(
    ({ address, types }) => {
      window.heard = [];
      window.source = new EventSource(address);
      for (const type of ["open", "error", "message", ...types]) {
        source.addEventListener(type, ({ data, lastEventId, origin }) => {
          heard.push({ type, data, lastEventId, origin, state: source.readyState, at: performance.now() });
        });
      }
    },
    { address, types },
  );
  const heard = () => page.evaluate(() => window.heard);
  return {
    heard,
    /** What came as events: neither `open` nor `error`. */
    events: async () => (await heard()).filter(({ type }) => type !== "open" && type !== "error"),
    opens: async () => (await heard()).filter(({ type }) => type === "open").length,
    close: () => page.evaluate(() => source.close()),
  };
}
