// The EventSource of the package named first, on the URL named second; what follows are event types besides "message". Prints
// each event as a line of JSON. It reconnects by itself.
const [name, url, ...types] = process.argv.slice(2);
const { EventSource } = await import(name);

const source = new EventSource(url);
for (const type of ["message", ...types]) {
  source.addEventListener(type, ({ type, data, lastEventId: id }) => console.log(JSON.stringify({ type, data, id })));
}
source.addEventListener("error", () => {
  if (source.readyState === EventSource.CLOSED) {
    console.error(`${name} gave up`);
    process.exit(1);
  }
});
// While undici waits to reconnect, nothing of it keeps the process alive.
setInterval(() => {}, 60_000);
