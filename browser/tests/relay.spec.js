/**
 * A server of event streams as a tutorial writes it, relayed: the pages that listen to the hub see its events, and the
 * server sees one client.
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { expect, test as base } from "../test.js";

const SERVER = path.resolve(import.meta.dirname, "../../interop/servers/node-http.cjs");
const TOPIC = "ticks";
const INTERVAL_MS = 200;

const test = base.extend({
  startServer: async ({}, use) => {
    const servers = [];
    await use(async (variant) => {
      const env = { ...process.env, PORT: "0", INTERVAL_MS: String(INTERVAL_MS), VARIANT: variant };
      const server = spawn(process.execPath, [SERVER], { env, stdio: ["ignore", "pipe", "inherit"] });
      servers.push(server);
      for await (const line of createInterface(server.stdout)) {
        server.stdout.resume(); // Else the server would one day wait for room in the pipe.
        return { url: line };
      }
    });
    for (const server of servers) server.kill();
  },
});

for (const type of ["message", "timeMessage"]) {
  test(`a page on the hub sees the events of a relayed server: ${type}`, async ({ startHub, startServer, native }) => {
    const server = await startServer(type);
    const hub = await startHub("--relay", `${server.url}/sse=${TOPIC}`, "--alias", `/sse=${TOPIC}`);
    const source = await native(hub, "/sse?last_event_id=earliest", ["timeMessage"]);
    await expect.poll(async () => (await source.events()).length, { timeout: 10_000 }).toBeGreaterThan(4);
    const events = await source.events();
    // The first is said on connecting, without a type.
    expect(events[0].type).toBe("message");
    for (const event of events.slice(1)) {
      expect(event.type).toBe(type);
      expect(new Date(event.data).getTime()).toBeGreaterThan(Date.now() - 60_000);
      expect(event.lastEventId).toMatch(/^#/);
      expect(event.origin).toBe(new URL(hub.url).origin);
    }
    expect(new Set(events.map(({ lastEventId }) => lastEventId)).size).toBe(events.length);
    expect(await source.opens()).toBe(1);
  });
}
