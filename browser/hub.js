/**
 * A hub of its own for each test: the real binary, on a free port of the loopback interface, with data in a directory that is
 * removed afterwards.
 */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

export const BINARY = process.env.TEST_FANFARE_BIN ?? path.resolve(import.meta.dirname, "../target/release/fanfare");
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 15_000;
const PUBLISH_TIMEOUT_MS = 10_000;

/** The ports that are tried. The system chooses ports for other sockets from 32768 on. */
const FIRST_PORT = 10_000;
const PORTS = 20_000;

/** The number of the next port to try. Each process of the tests begins somewhere else. */
let nextPort = process.pid * 61;

export class Hub {
  /** @type {string} such as `http://127.0.0.1:41234` */
  url;
  #options;
  #data;
  #process = null;
  #complaints = "";

  /**
   * @param {string[]} options of `fanfare serve`, beside the address and the directory
   */
  static async start(options = []) {
    const hub = new Hub();
    hub.#options = options;
    hub.#data = await newDirectory();
    await hub.restart();
    return hub;
  }

  get port() {
    return new URL(this.url).port;
  }

  /** Starts the hub again, on the port it had. */
  async restart() {
    const address = `127.0.0.1:${this.url ? this.port : await freePort()}`;
    const args = ["serve", "--listen", address, "--data", this.#data, ...this.#options];
    const child = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    this.#complaints = "";
    child.stderr.on("data", (chunk) => (this.#complaints = (this.#complaints + chunk).slice(-4_000)));
    this.url = await Promise.race([this.#announcedUrl(child), this.#failure(child)]);
  }

  async #announcedUrl(child) {
    for await (const line of createInterface(child.stdout)) {
      const [url] = line.match(/http:\/\/127\.0\.0\.1:\d+/) ?? [];
      if (!url) continue;
      child.stdout.resume(); // Else the hub would one day wait for room in the pipe.
      return url;
    }
    return this.#failure(child);
  }

  async #failure(child) {
    const ended = once(child, "exit").then(([code]) => `ended with ${code}`);
    const failed = once(child, "error").then(([error]) => error.message);
    const late = sleep(START_TIMEOUT_MS, "printed no URL in time", { ref: false });
    throw new Error(`${BINARY} ${await Promise.race([ended, failed, late])}\n${this.#complaints}`);
  }

  /** Stops it as an administrator would. */
  async stop() {
    await this.#end("SIGTERM");
  }

  /** Stops it as a power cut would. */
  async kill() {
    await this.#end("SIGKILL");
  }

  async #end(signal) {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    if (await Promise.race([ended, sleep(STOP_TIMEOUT_MS, null, { ref: false })])) return;
    child.kill("SIGKILL");
    throw new Error(`the hub did not end within ${STOP_TIMEOUT_MS} ms of ${signal}`);
  }

  /** Puts a fresh directory in place of the hub's data, as if it had been lost. */
  async loseData() {
    await rm(this.#data, { recursive: true, force: true });
    this.#data = await newDirectory();
  }

  async remove() {
    await this.#end("SIGKILL");
    await rm(this.#data, { recursive: true, force: true });
  }

  /**
   * Publishes, and returns the ID under which it was acknowledged.
   *
   * @param {{type?: string, id?: string, retry?: number, token?: string}} [fields]
   */
  async publish(topic, data, { token, ...fields } = {}) {
    const url = new URL(`/topics/${encodeURIComponent(topic)}`, this.url);
    for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const response = await fetch(url, { method: "POST", body: data, headers, signal: AbortSignal.timeout(PUBLISH_TIMEOUT_MS) });
    const text = await response.text();
    if (!response.ok) throw new Error(`publishing to ${topic}: ${response.status} ${text}`);
    return text.trimEnd();
  }

  /** Publishes many updates in one request. */
  async publishLines(topic, lines) {
    const url = new URL(`/topics/${encodeURIComponent(topic)}`, this.url);
    const headers = { "content-type": "application/x-ndjson" };
    const response = await fetch(url, { method: "POST", body: lines.join("\n"), headers, signal: AbortSignal.timeout(PUBLISH_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`publishing to ${topic}: ${response.status} ${await response.text()}`);
    return (await response.text()).trimEnd().split("\n");
  }
}

function newDirectory() {
  return mkdtemp(path.join(tmpdir(), "fanfare-browser-"));
}

/**
 * A port that nobody uses. Until this process ends, it is held by a UDP socket of the same number, as
 * `crates/load/src/port.rs` does it: other processes of the tests leave it alone, also while its hub is started again.
 */
async function freePort() {
  for (;;) {
    const port = FIRST_PORT + (nextPort++ % PORTS);
    const holder = createSocket("udp4").unref().bind({ port, address: "127.0.0.1", exclusive: true });
    if ((await listens(holder)) && (await isFree(port))) return port;
    holder.close();
  }
}

async function isFree(port) {
  const server = createServer().listen(port, "127.0.0.1");
  if (!(await listens(server))) return false;
  server.close();
  await once(server, "close");
  return true;
}

function listens(socket) {
  return once(socket, "listening").then(() => true, () => false);
}
