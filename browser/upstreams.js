/**
 * The servers of the three tutorials, and `fanfare relay` between one of them and a hub. Node's, Express and PHP are the
 * programs in `interop/servers/`; ASP.NET and ASP, which do not run here, are the bytes that they send, from there too.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { BINARY } from "./hub.js";

const SERVERS = path.resolve(import.meta.dirname, "../interop/servers");
/** How often the servers that send for ever send something, in place of the seconds that the tutorials let pass. */
export const INTERVAL_MS = 200;
/** Until a server or a relay has said what is waited for. */
const SAY_TIMEOUT_MS = 15_000;

/** Node's http server. `variant` is the type of all events but the first. */
export async function node(variant) {
  const server = await Program.serving(process.execPath, [path.join(SERVERS, "node-http.cjs")], { VARIANT: variant });
  return at("/sse", server);
}

/** Express. */
export async function express() {
  return at("/event-stream", await Program.serving(process.execPath, [path.join(SERVERS, "express.cjs")]));
}

/** PHP. It ends each response after one event. */
export async function php() {
  return at("/demo_sse.php", await Program.serving("php", ["-S", "127.0.0.1:0", "-t", SERVERS]));
}

/** A server that answers each request with the bytes of a file, and closes the connection. */
export async function scripted(name) {
  const response = await readFile(path.join(SERVERS, `${name}.http`));
  const server = createServer((socket) => {
    let request = "";
    socket.on("error", () => {}); // Whoever asks may break off.
    socket.on("data", (chunk) => {
      request += chunk.toString("latin1");
      if (request.endsWith("\r\n\r\n")) socket.end(response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return at("/", { url: `http://127.0.0.1:${server.address().port}`, end: () => server.close() });
}

/** `fanfare relay` of `url` into a topic of `hub`. */
export function relay(url, hub, topic) {
  return new Program(BINARY, ["relay", url, "--topic", topic, "--hub", hub.url, "--verbose"]);
}

function at(path, server) {
  return { url: server.url + path, end: () => server.end() };
}

/** A program that runs, and what it says. */
class Program {
  #child;
  #name;
  #said = "";

  constructor(command, args, env = {}) {
    this.#name = [command, ...args].join(" ");
    const settings = { PORT: "0", INTERVAL_MS: String(INTERVAL_MS), ...env };
    this.#child = spawn(command, args, { env: { ...process.env, ...settings }, stdio: ["ignore", "pipe", "pipe"] });
    this.#child.on("error", (error) => (this.#said += error.message));
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      createInterface(output).on("line", (line) => (this.#said += `${line}\n`));
    }
  }

  /** Starts a server, which says at which URL it listens. */
  static async serving(command, args, env) {
    const server = new Program(command, args, env);
    [server.url] = await server.says(/http:\/\/127\.0\.0\.1:\d+/);
    return server;
  }

  /** Waits until it has said this. */
  async says(pattern) {
    const late = Date.now() + SAY_TIMEOUT_MS;
    for (;;) {
      const match = this.#said.match(pattern);
      if (match) return match;
      if (Date.now() > late) throw new Error(`${this.#name} does not say ${pattern}, but:\n${this.#said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  end() {
    this.#child.kill();
  }
}
