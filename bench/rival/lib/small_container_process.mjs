// The process of a small container: it runs an agent, keeps its lines as events, and answers `GET /events?after=N`. See
// small_container.mjs.

import { spawn } from "node:child_process";
import { createServer } from "node:http";

const events = /** @type {object[]} */ ([]);
const keep = (agent_id, text) => {
  const timestamp = new Date().toISOString();
  events.push({ id: events.length + 1, agent_id, run_id: "run-1", event: "agent_output", data: { text, stream: "stdout" }, timestamp });
};
const answers = {
  listen({ batch_events }) {
    const server = createServer((request, response) => {
      const after = Number(new URL(request.url ?? "", "http://container").searchParams.get("after"));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ epoch: "only", events: events.slice(after, after + batch_events) }));
    });
    server.listen(0, "127.0.0.1", () => process.send?.(/** @type {import("node:net").AddressInfo} */ (server.address()).port));
  },
  run({ agent_id, command: [program, ...args] }) {
    let rest = "";
    spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] }).stdout.setEncoding("utf8").on("data", (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) keep(agent_id, line);
    });
  },
  say({ agent_id, texts }) {
    for (const text of texts) keep(agent_id, text);
  },
};
process.on("message", (/** @type {any} */ { ask, ...wish }) => answers[ask](wish));
process.on("disconnect", () => process.exit());
