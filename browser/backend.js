/**
 * The backend of `examples/discovery`, as a program of its own.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

const BINARY = process.env.TEST_FANFARE_DISCOVERY ?? path.resolve(import.meta.dirname, "../target/debug/examples/discovery");
const START_TIMEOUT_MS = 15_000;

export class Backend {
  /** @type {string} such as `http://127.0.0.1:41234` */
  url;
  #process;

  /**
   * @param {string} hubUrl
   * @param {{listen: string, token?: string, cookie?: string}} [options] where it listens, the token with which it publishes, and the
   *   cookie that it gives to visitors, without which its updates are public
   */
  static async start(hubUrl, { listen, token, cookie }) {
    const backend = new Backend();
    const given = { FANFARE_HUB: hubUrl, LISTEN: listen, FANFARE_TOKEN: token, COOKIE: cookie };
    const env = Object.fromEntries(Object.entries({ ...process.env, ...given }).filter(([, value]) => value !== undefined));
    const child = spawn(BINARY, [], { env, stdio: ["ignore", "pipe", "inherit"] });
    backend.#process = child;
    const lines = createInterface(child.stdout);
    const failed = Promise.race([once(child, "error"), once(child, "exit")]).then((reason) => {
      throw new Error(`${BINARY}: ${reason}`);
    });
    [backend.url] = await Promise.race([once(lines, "line", { signal: AbortSignal.timeout(START_TIMEOUT_MS) }), failed]);
    failed.catch(() => {}); // It ends with the test.
    return backend;
  }

  /** Changes the book, which is published. */
  async change(title) {
    const response = await fetch(new URL("/books/1", this.url), { method: "PUT", body: JSON.stringify({ title }) });
    if (response.status !== 204) throw new Error(`changing the book: ${response.status}`);
  }

  async remove() {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}
