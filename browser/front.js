/**
 * What stands before a hub: passes requests on, answers some itself, and writes all of them down.
 */
import { once } from "node:events";
import { createServer, request as send } from "node:http";

export class Front {
  /** Where it listens. */
  url;
  /** What was asked for, in order: `{method, url, headers}`. */
  requests = [];
  /**
   * Answers a request in the hub's place, or returns `false`: then it is passed on, to the URL that it has by then.
   *
   * @type {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => boolean}
   */
  answer = () => false;

  #server;
  #hubUrl;

  /** @param {string} hubUrl */
  static async start(hubUrl) {
    const front = new Front();
    front.#hubUrl = hubUrl;
    front.#server = createServer((request, response) => front.#serve(request, response));
    front.#server.listen(0, "127.0.0.1");
    await once(front.#server, "listening");
    front.url = `http://127.0.0.1:${front.#server.address().port}`;
    return front;
  }

  /** The requests for streams. */
  get subscriptions() {
    return this.requests.filter(({ method, url }) => method === "GET" && /^\/(topics|\.well-known\/mercure)/.test(url));
  }

  /** Ends all connections, as a proxy does that restarts. */
  cut() {
    this.#server.closeAllConnections();
  }

  remove() {
    this.#server.close();
    this.cut();
  }

  #serve(request, response) {
    const { method, url, headers } = request;
    this.requests.push({ method, url, headers });
    if (this.answer(request, response)) return;
    const passed = send(new URL(request.url, this.#hubUrl), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    passed.on("error", () => response.destroy());
    response.on("close", () => passed.destroy());
    request.pipe(passed);
  }
}
