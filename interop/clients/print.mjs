// What each client of JavaScript does with an event: what most pages do with a message, `JSON.parse`, and then it prints the event
// as a line of JSON. `thrown` is the error of `JSON.parse`, empty if there is none: only some tests publish JSON.
export function print(type, data, id) {
  let thrown = "";
  try {
    JSON.parse(data);
  } catch (error) {
    thrown = String(error);
  }
  console.log(JSON.stringify({ type, data, id, thrown }));
}
