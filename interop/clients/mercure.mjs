// A subscriber to a Mercure hub: the package named first, on the URL named second, with the token named fourth carried as the
// third says (the query has it already); what follows are event types besides "message". Prints each event as a line of JSON.
// Each reconnects by itself.
const [name, url, carrier, token, ...types] = process.argv.slice(2);
const headers = { header: { Authorization: `Bearer ${token}` }, cookie: { Cookie: `mercureAuthorization=${token}` }, query: {} }[carrier];
const print = (type, data, id) => console.log(JSON.stringify({ type, data, id }));

const subscribers = {
  async eventsource() {
    const { EventSource } = await import("eventsource");
    listen(new EventSource(url, { fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }) }));
  },

  async undici() {
    const { EventSource } = await import("undici");
    listen(new EventSource(url));
  },

  // It has the ID in the query alone.
  async "event-source-polyfill"() {
    const { EventSourcePolyfill } = await import("event-source-polyfill");
    listen(new EventSourcePolyfill(url, { headers, lastEventIdQueryParameterName: "lastEventID" }));
  },

  // Made for pages: of what they have, it uses whether they are seen, timers and `fetch`.
  async "@microsoft/fetch-event-source"() {
    globalThis.window = globalThis;
    globalThis.document = Object.assign(new EventTarget(), { hidden: false });
    const { fetchEventSource } = await import("@microsoft/fetch-event-source");
    let lastEventId = "";
    await fetchEventSource(url, {
      headers,
      onmessage({ event, data, id }) {
        lastEventId = id || lastEventId;
        // What has no data is no event, and it reports that too.
        if (data !== "") print(event || "message", data, lastEventId);
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
}

// While some wait to reconnect, nothing of them keeps the process alive.
setInterval(() => {}, 60_000);
await subscribers[name]();
