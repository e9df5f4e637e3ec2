// A model on loopback that always answers the same: OpenAI's chat completions, streamed. What it says depends only on
// the scenario, which is the first part of the path, and on how much of it has been said.

import http from "node:http";

import { LONG_COMMAND } from "./stories.mjs";

/** What it asks in the scenario "parts". */
export const PARTS = [
  { question: "Which database?", header: "Database", options: [{ label: "PostgreSQL", description: "relational" }, { label: "SQLite", description: "a file" }] },
  { question: "Which features?", header: "Features", multiple: true, options: ["Login", "Logging", "Export"].map((label) => ({ label, description: `it has ${label}` })) },
];

/** A step is a text and calls; the last one ends the turn. */
const SCENARIOS = {
  work: [
    { text: "I look first. naïve 日本語 🚀 \u2028", calls: [["read", { filePath: "README.md" }]] },
    { text: "Two at once.", calls: [["write", { filePath: "hello.txt", content: "hello\n" }], ["bash", { command: "echo out; exit 3", description: "fails" }]] },
    { text: "Done." },
  ],
  ask: [{ text: "May I?", calls: [["bash", { command: "echo asked > asked.txt", description: "asks" }]] }, { text: "I could." }],
  whole: [{ text: "May I?", calls: [["bash", { command: LONG_COMMAND, description: "asks" }]] }, { text: "I could." }],
  two: [
    { text: "May I, twice?", calls: ["one", "two"].map((name) => ["bash", { command: `echo ${name} > ${name}.txt`, description: name }]) },
    { text: "I could." },
  ],
  parts: [{ text: "I wonder.", calls: [["question", { questions: PARTS }]] }, { text: "I see." }],
  hang: [{ text: "Something long.", calls: [["bash", { command: "echo $$ > pid.txt; sleep 300", description: "hangs", timeout: 600_000 }]] }, { text: "over" }],
};

export class Model {
  /** The texts of the last things that a person said, as the model got them. */
  prompts = [];
  /** The system prompts beside them. */
  systems = [];
  #server = http.createServer((request, response) => this.#answer(request, response));

  async start() {
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve(undefined)));
    return this;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  url(scenario) {
    return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (this.#server.address()).port}/${scenario}/v1`;
  }

  /** The configuration of OpenCode and Kilo for it. */
  config(scenario, permission = {}) {
    const model = { name: "Stub", tool_call: true, cost: { input: 3, output: 15 }, limit: { context: 200_000, output: 8_000 } };
    const options = { baseURL: this.url(scenario), apiKey: "none" };
    const provider = { stub: { npm: "@ai-sdk/openai-compatible", name: "Stub", options, models: { "stub-model": model } } };
    return { autoupdate: false, share: "disabled", model: "stub/stub-model", small_model: "stub/stub-model", provider, permission };
  }

  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const [, scenario] = request.url.split("/");
    const status = /^status(\d+)$/.exec(scenario)?.[1];
    if (status !== undefined) {
      const error = { message: `the stub says ${status}`, type: "stub_error" };
      return void response.writeHead(Number(status), { "content-type": "application/json" }).end(JSON.stringify({ error }));
    }
    const asked = JSON.parse(Buffer.concat(chunks).toString() || "{}");
    const { messages = [], tools } = asked;
    const said = messages.map(({ role }) => role).lastIndexOf("user");
    const turn = messages.slice(said + 1);
    // Without tools it is asked for a title.
    const steps = tools === undefined ? [{ text: "A title" }] : SCENARIOS[scenario];
    const step = steps[Math.min(turn.filter(({ role }) => role === "assistant").length, steps.length - 1)];
    if (tools !== undefined && turn.length === 0) {
      this.prompts.push(textOf(messages[said]?.content));
      this.systems.push(messages.filter(({ role }) => role === "system").map(({ content }) => textOf(content)).join("\n"));
    }
    this.#stream(response, step, messages.length);
  }

  #stream(response, { text, calls = [] }, number) {
    const send = (delta, more = {}) => {
      const choices = delta === null ? [] : [{ index: 0, delta, finish_reason: null, ...more }];
      const usage = delta === null ? { usage: { prompt_tokens: 1000 + number, completion_tokens: 20, total_tokens: 1020 + number } } : {};
      const chunk = { id: `stub-${number}`, object: "chat.completion.chunk", created: 1_700_000_000, model: "stub-model", choices, ...usage };
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    };
    response.writeHead(200, { "content-type": "text/event-stream" });
    send({ role: "assistant", content: "" });
    for (const part of text.match(/.{1,6}/gsu)) send({ content: part });
    for (const [index, [name, input]] of calls.entries()) {
      send({ tool_calls: [{ index, id: `call_${number}_${index}`, type: "function", function: { name, arguments: JSON.stringify(input) } }] });
    }
    send({}, { finish_reason: calls.length > 0 ? "tool_calls" : "stop" });
    send(null);
    response.end("data: [DONE]\n\n");
  }
}

const textOf = (content) => (typeof content === "string" ? content : (content ?? []).map(({ text }) => text ?? "").join(""));
