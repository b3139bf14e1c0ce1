// Publishes from Node.js: node publish.mjs [TEXT]
const hub = process.env.FANFARE_HUB || "http://127.0.0.1:3000";
const token = process.env.FANFARE_TOKEN;

const answer = await fetch(`${hub}/topics/greetings?type=greeting`, {
  method: "POST",
  headers: token ? { Authorization: `Bearer ${token}` } : {},
  body: JSON.stringify({ text: process.argv[2] ?? "hello from Node.js" }),
});
if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
process.stdout.write(await answer.text()); // the ID of the update; by now it is on disk
