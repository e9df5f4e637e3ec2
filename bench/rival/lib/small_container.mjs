// A container as small as one can be, for the rival's poll, in a process of its own: so its CPU time can be told, and stands beside
// that of the control server, which does the same for Townwatch and more.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROCESS = fileURLToPath(new URL("small_container_process.mjs", import.meta.url));

export class SmallContainer {
  url = "";
  #process = fork(PROCESS);

  /** `batch_events`: at most so many events in an answer. */
  static async start({ batch_events = 500 } = {}) {
    const container = new SmallContainer();
    const listens = new Promise((resolve) => container.#process.once("message", resolve));
    container.#process.send({ ask: "listen", batch_events });
    container.url = `http://127.0.0.1:${await listens}`;
    return container;
  }

  get pid() {
    return this.#process.pid;
  }

  /** Starts a program, each of whose lines becomes an event of this agent. */
  run(agent_id, command) {
    this.#process.send({ ask: "run", agent_id, command });
  }

  /** Lets an agent say something, once for each text. */
  say(agent_id, texts) {
    this.#process.send({ ask: "say", agent_id, texts });
  }

  stop() {
    this.#process.disconnect();
  }
}
