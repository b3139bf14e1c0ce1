// An event source: the package named first, on the URL named second, with the headers of the third, a JSON object. What follows are
// event types besides "message". Each reconnects by itself.
import { print } from "./print.mjs";

const [name, url, json, ...types] = process.argv.slice(2);
const headers = JSON.parse(json);

const sources = {
  async eventsource() {
    const { EventSource } = await import("eventsource");
    listen(new EventSource(url, { fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }) }));
  },

  // It has no option for headers.
  async undici() {
    const { EventSource } = await import("undici");
    listen(new EventSource(url));
  },

  // It has the ID in the query alone.
  async "event-source-polyfill"() {
    const { EventSourcePolyfill } = await import("event-source-polyfill");
    listen(new EventSourcePolyfill(url, { headers, lastEventIdQueryParameterName: "lastEventID" }));
  },

  async "launchdarkly-eventsource"() {
    const { EventSource } = (await import("launchdarkly-eventsource")).default;
    listen(new EventSource(url, { headers }));
  },

  // Made for pages: of what they have, it uses whether they are seen, timers and `fetch`. It hands over events of all types.
  async "@microsoft/fetch-event-source"() {
    globalThis.window = globalThis;
    globalThis.document = Object.assign(new EventTarget(), { hidden: false });
    const { fetchEventSource } = await import("@microsoft/fetch-event-source");
    let lastEventId = "";
    await fetchEventSource(url, {
      headers,
      onmessage({ event, data, id }) {
        lastEventId = id || lastEventId;
        print(event || "message", data, lastEventId);
      },
      onclose() {
        throw new Error("a response has ended, and it goes on");
      },
    });
  },
};

function listen(source) {
  for (const type of ["message", ...types]) {
    source.addEventListener(type, ({ type, data, lastEventId }) => print(type, data, lastEventId));
  }
  source.addEventListener("error", () => {
    if (source.readyState === source.constructor.CLOSED) {
      console.error(`${name} gave up`);
      process.exit(1);
    }
  });
}

// While some wait to reconnect, nothing of them keeps the process alive.
setInterval(() => {}, 60_000);
await sources[name]();
