// A world in which a real agent works: the Worker, the control server with the agent on its PATH, a repository, a model
// on loopback, and a viewer who watches the town.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

import { must, startWorld } from "../worker/harness.mjs";
import { temporaryDirectory } from "../worker/processes.mjs";
import { startModel } from "./model_server.mjs";
import { STORIES, TOKENS } from "./stories.mjs";

/** Real agents take seconds to start, on a busy machine many. */
export const RUN_MS = 120_000;

/**
 * Starts it all; `files` are written into the agents' home, each with the model's address of the story. `sandbox`: what the
 * control server is told of that; as if it were in one, agents need not ask.
 *
 * @param {{ runtime: string, bin: string, answer: any, files: any, env_vars?: { [name: string]: string }, model_name?: string, sandbox?: string }} what
 */
export async function startWork({ runtime, bin, answer, files, env_vars = {}, model_name, sandbox = "1" }) {
  // The control server's programs: the agent, and the Node that it runs on.
  process.env.PATH = [bin, dirname(process.execPath), process.env.PATH].join(delimiter);
  const model = await startModel(answer);
  const world = await startWorld({ controlVars: { CONTROL_SANDBOX: sandbox } });
  const town = await world.town(`The real ${runtime}`);
  const viewer = await world.watch(town.stream);
  const git_url = repository();
  return {
    model,
    viewer,
    /** Starts a run of a story; gives its ids. */
    async start(story, prompt = "Do your work.") {
      const home = temporaryDirectory();
      const url = model.url(story);
      for (const [path, text] of Object.entries(files(url))) {
        mkdirSync(dirname(join(home, path)), { recursive: true });
        writeFileSync(join(home, path), text);
      }
      const variables = Object.entries({ HOME: home, ...env_vars }).map(([name, value]) => [name, value.replace("$MODEL", url)]);
      const order = { runtime, prompt, model: model_name, git_url, default_branch: "main", env_vars: Object.fromEntries(variables), timeout_seconds: 100 };
      return world.startAgent(town, order);
    },
    stopRun: (agent_id) => world.api("POST", `${town.path}/container/agents/${agent_id}/stop`, {}),
    say: (agent_id, prompt) => world.api("POST", `${town.path}/container/agents/${agent_id}/message`, { prompt }),
    answer: (agent_id, answer) => world.api("POST", `${town.path}/agents/${agent_id}/answer`, answer),
    /** The first event of this name of a run, as soon as a viewer sees it. */
    first: (run_id, name) => {
      const found = () => viewer.events.find((event) => event.event === name && event.run_id === run_id)?.data;
      return viewer.until(name, found, RUN_MS);
    },
    /** The directory of a run. */
    directory: (run_id) => join(world.directory, "work", town.town_id, run_id),
    status: async (agent_id) => must(await world.api("GET", `${town.path}/container/agents/${agent_id}/status`)),
    state: async (agent_id) => must(await world.api("GET", `${town.path}/agents/${agent_id}`)),
    /** The log of an agent, as somebody reads it who was not there. */
    log: (agent_id) => world.pages(`${town.path}/agents/${agent_id}/events`),
    /** All events of this name of a run that a viewer has seen so far. */
    seen: (run_id, name) => viewer.events.filter((event) => event.event === name && event.run_id === run_id).map(({ data }) => data),
    health: async () => must(await world.api("GET", `${town.path}/container/health`)),
    /** The events of a run, once it has ended, each beside its data; checked as those of every run can be. */
    async ended(run_id) {
      await viewer.untilExit(run_id, RUN_MS);
      viewer.check();
      const events = viewer.events.filter((event) => event.run_id === run_id);
      assert.equal(events.filter(({ event }) => event === "agent.exited").length, 1);
      assert.equal(events.at(-1).event, "agent.exited");
      assert.deepEqual(model.problems, []);
      const of = (kind) => events.filter(({ event }) => event === kind).map(({ data }) => data);
      return { events, of, exit: events.at(-1).data };
    },
    async stop() {
      viewer.cut();
      await world.stop();
      await model.stop();
    },
  };
}

/** What the story "work" has to come to, for an agent of which `of` are the events. */
export function checkWork({ of, exit }, state) {
  assert.deepEqual([exit.reason, exit.exit_code], ["completed", 0], JSON.stringify(exit));
  const said = of("agent_output").filter(({ stream }) => stream === "assistant").map(({ text }) => text);
  assert.deepEqual(said, STORIES.work.map(({ text }) => text).filter((text) => text !== ""));

  const [calls, results] = [of("agent_tool_call"), of("agent_tool_result")];
  assert.equal(calls.length, STORIES.work.flatMap(({ calls }) => calls).length);
  const resultOf = ({ tool_use_id }) => results.filter((result) => result.tool_use_id === tool_use_id);
  for (const call of calls) assert.equal(resultOf(call).length, 1, call.tool_use_id);
  const [look, write, run, missing] = calls.map((call) => ({ ...call, result: resultOf(call)[0] }));
  assert.match(look.summary, /README\.md/);
  assert.deepEqual([write.category, write.path, write.summary], ["Write", "hello.txt", "Writing hello.txt"]);
  assert.deepEqual([run.category, run.summary], ["Bash", "Running `echo one; sleep 0.1; echo two`"]);
  assert.equal(run.result.content.trim(), "one\ntwo");
  assert.deepEqual([look, write, run, missing].map(({ result }) => result.success), [true, true, true, false]);

  const requests = STORIES.work.length;
  const { input_tokens, output_tokens, cache_read_input_tokens } = state.usage;
  assert.deepEqual(
    { input_tokens, output_tokens, cache_read_input_tokens },
    {
      input_tokens: requests * (TOKENS.read - TOKENS.cached),
      output_tokens: requests * TOKENS.written,
      cache_read_input_tokens: requests * TOKENS.cached,
    },
  );
  assert.deepEqual([state.status, state.tool_call_count, state.outstanding_tool_calls], ["exited", calls.length, []]);
  const [session] = of("agent_session");
  assert.equal(state.session_id, session.session_id);
  assert.equal(session.branch, "main");
  assert.deepEqual(of("parser_notice"), []);
}

function repository() {
  const directory = temporaryDirectory();
  const git = (...args) => execFileSync("git", ["-C", directory, "-c", "user.name=n", "-c", "user.email=e@example.org", ...args]);
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(join(directory, "README.md"), "# A repository ✓\n");
  git("add", ".");
  git("commit", "--quiet", "--message=one");
  return directory;
}
