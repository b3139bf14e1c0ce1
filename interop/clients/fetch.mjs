// A reader over fetch, on the URL named second, with the parser named first: "own", or "eventsource-parser" for that package.
// It reconnects with the ID of the last event of whatever type, since fetch does not reconnect.
import { setTimeout as sleep } from "node:timers/promises";
import { EventStreamParser } from "./event-stream-parser.mjs";
import { print } from "./print.mjs";

const [name, url] = process.argv.slice(2);
let lastEventId = "";
let retryMs = 100;

async function newParser() {
  const onEvent = ({ event: type = "message", data, id }) => {
    lastEventId = id ?? lastEventId;
    print(type, data, lastEventId);
  };
  const onRetry = (ms) => (retryMs = ms);
  if (name === "own") return new EventStreamParser({ onEvent, onRetry });
  const { createParser } = await import(name);
  return createParser({ onEvent, onRetry });
}

async function connect() {
  const headers = { Accept: "text/event-stream", ...(lastEventId && { "Last-Event-ID": lastEventId }) };
  const response = await fetch(url, { headers });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  const parser = await newParser();
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) parser.feed(text);
}

for (;;) {
  try {
    await connect();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // which fetch says of everything in the network
  }
  await sleep(retryMs);
}
