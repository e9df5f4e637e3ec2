// A control server of its own, and what it says of an agent, for tests that need no Worker.

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { newControlKey, publicKeyOf, signedHeaders } from "../../scripts/lib/control_key.mjs";
import { present } from "../present.mjs";
import { request } from "../worker/http.mjs";
import { Process, temporaryDirectory } from "../worker/processes.mjs";
import { until } from "../worker/until.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const KEY = newControlKey();

export class ControlServer {
  directory = temporaryDirectory();
  /** @type {Process | null} */
  #process = null;
  #url = "";

  /** `programs`: commands on its PATH, each with the shell script that it is. */
  async start({ env = {}, programs = {} } = {}) {
    const bin = join(this.directory, "bin");
    mkdirSync(bin);
    for (const [name, script] of Object.entries(programs)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
    const places = [process.env.CONTROL_SERVER, ...["release", "debug"].map((one) => join(target, one, "townwatch-control"))];
    const binary = places.find((place) => place !== undefined && existsSync(place));
    assert.ok(binary, `no control server; build it with: cargo build -p townwatch-control (looked at ${places})`);
    const started = new Process(resolve(binary), [], {
      cwd: this.directory,
      env: {
        CONTROL_PORT: "0",
        CONTROL_WORK_DIR: join(this.directory, "work"),
        CONTROL_PUBLIC_KEY: publicKeyOf(KEY),
        PATH: `${bin}:${process.env.PATH}`,
        ...env,
      },
    });
    this.#process = started;
    const listening = () => /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(started.log);
    this.#url = (await started.ready("the line that it listens", listening, 20_000))[1];
    return this;
  }

  /** What it takes of the machine's memory, in bytes. */
  memory() {
    return 1024 * Number(present(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${present(this.#process).group}/status`, "utf8")))[1]);
  }

  stop() {
    return this.#process?.kill("SIGKILL");
  }

  /** `{status, json}` of an answer. */
  call(method, path, body) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return request(this.#url + path, { method, headers: signedHeaders(KEY, { town_id: "town", method, target: path, body: text }), body: text });
  }

  async run(agent_id, order) {
    const whole = { agent_id, run_id: `run-of-${agent_id}`, rig_id: "rig", name: "n", role: "polecat", ...order };
    const answer = await this.call("POST", "/agents/start", whole);
    assert.equal(answer.status, 200, answer.text);
  }

  /** All events of an agent so far, over as many pages as it takes. */
  async events(agent_id) {
    const events = [];
    for (;;) {
      const after = events.at(-1)?.id ?? 0;
      const { json } = await this.call("GET", `/agents/${agent_id}/events?after=${after}&limit=500`);
      if (json.events.length === 0) return events;
      events.push(...json.events);
    }
  }

  /** All events of an agent once one of them satisfies; that one is `events.found`. */
  async eventsUntil(agent_id, what, satisfies, ms = 30_000) {
    let events = [];
    const look = async () => {
      events = await this.events(agent_id);
      return events.find(satisfies);
    };
    const told = () => `; it has ${events.length} events, the last: ${JSON.stringify(events.slice(-3)).slice(0, 1500)}`;
    const found = await until(what, look, ms, told);
    return Object.assign(events, { found });
  }

  /** All events of an agent once its run has ended: once, and with its last event. */
  async ended(agent_id, ms) {
    const events = await this.eventsUntil(agent_id, `the end of ${agent_id}`, ({ event }) => event === "agent.exited", ms);
    const exits = events.filter(({ event }) => event === "agent.exited");
    assert.deepEqual([exits.length, events.at(-1)], [1, exits[0]], "one end, and nothing after it");
    return Object.assign(events, { exit: exits[0].data });
  }
}
