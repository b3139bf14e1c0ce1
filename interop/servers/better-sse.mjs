// better-sse: three numbered events for each connection, going on after the last event ID, with keep-alive comments between
// them.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createSession } from "better-sse";

const EVENTS_PER_CONNECTION = 3;

const server = createServer(async (request, response) => {
  const session = await createSession(request, response, { retry: 100, keepAlive: 10 });
  const last = Number(session.lastId);
  for (let number = last + 1; number <= last + EVENTS_PER_CONNECTION; number++) {
    // It throws if who asked has left.
    if (!session.isConnected) return;
    session.push({ number, text: "über\nzwei" }, "counter", String(number));
    await sleep(30);
  }
  response.end();
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
