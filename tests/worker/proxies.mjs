// Proxies that other people put before the Worker: one of a few lines that refuses large bodies, and the real nginx.

import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import http from "node:http";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";

import { present } from "../present.mjs";
import { request } from "./http.mjs";
import { freePort, Process, temporaryDirectory } from "./processes.mjs";

/** What nginx answers to a body beyond its limit. */
const TOO_LARGE = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n<center><h1>413 Request Entity Too Large</h1></center>\r\n</body>\r\n</html>\r\n";

/**
 * Lets through what has at most `body_bytes_max`. What is larger it answers with 413, or hangs up on. What `loses` says of
 * a body is let through, but its answer is lost.
 */
export class BodyLimit {
  /** The bodies' lengths, of those refused, of those let through, and of those among them whose answer was lost. */
  refused = [];
  passed = [];
  lost = [];
  #server;

  static async before(target, { body_bytes_max, hangs_up = false, loses = (/** @type {string} */ _) => false }) {
    const proxy = new BodyLimit();
    proxy.#server = http.createServer((given, answer) => {
      const length = Number(given.headers["content-length"] ?? 0);
      if (length > body_bytes_max) {
        proxy.refused.push(length);
        if (hangs_up) return given.socket.destroy();
        given.resume();
        return answer.writeHead(413, { "content-type": "text/html" }).end(TOO_LARGE);
      }
      proxy.passed.push(length);
      const { method, url, headers } = given;
      let body = "";
      given.on("data", (chunk) => (body += chunk));
      const onward = http.request(target() + url, { method, headers }, (answered) => {
        if (loses(body)) {
          proxy.lost.push(length);
          return answered.resume().on("end", () => given.socket.destroy());
        }
        answer.writeHead(present(answered.statusCode), answered.headers);
        answered.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      given.pipe(onward);
    });
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Where nginx is on this machine; undefined where it is not. */
export function nginx() {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];
  return folders.map((folder) => join(folder, "nginx")).find((file) => existsSync(file));
}

/** nginx with nothing but `proxy_pass`; behind `named.url` also with what our message says about the Host header. */
export class Nginx {
  url;
  named_url;
  #process;

  static async before(target) {
    const started = new Nginx();
    const directory = temporaryDirectory();
    const ports = [await freePort(), await freePort()];
    [started.url, started.named_url] = ports.map((port) => `http://localhost:${port}`);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${directory}/${name};`);
    const server = (port, more) => `server { listen 127.0.0.1:${port}; location / { proxy_pass ${target}; ${more} } }`;
    const lines = [
      `user ${userInfo().username};`, // whose workers may write here; only root's nginx reads it
      `pid ${directory}/pid;`,
      `error_log ${directory}/error.log;`,
      "events {}",
      "http {",
      "access_log off;",
      ...temporary,
      server(ports[0], ""),
      server(ports[1], "proxy_set_header Host $http_host;"),
      "}",
    ];
    writeFileSync(join(directory, "nginx.conf"), `${lines.join("\n")}\n`);
    const args = ["-c", join(directory, "nginx.conf"), "-e", join(directory, "error.log"), "-g", "daemon off;"];
    started.#process = new Process(present(nginx(), "nginx"), args, { cwd: directory });
    const answers = async () => (await request(`${started.url}/health`).catch(() => null))?.status === 200;
    await started.#process.ready("GET /health", answers, 20_000);
    return started;
  }

  async stop() {
    await this.#process?.kill("SIGKILL");
  }
}
