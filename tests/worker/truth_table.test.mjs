// The truth table: for every recording of every agent, what the real control server makes of it is what a script that
// shares no code with its parser reads from the raw bytes: each text, call, result and changed file whole and in order,
// the totals of its usage, its turns and its end. The control server alone; no Worker is needed for it.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { newControlKey } from "../../scripts/lib/control_key.mjs";
import { expectedOf as claudeCode } from "../oracle/claude_code.mjs";
import { expectedOf as codex } from "../oracle/codex.mjs";
import { stepsSeen, unpaired } from "../oracle/events.mjs";
import { expectedOf as gemini } from "../oracle/gemini.mjs";
import { RECORDINGS as STREAMED, seenOf, expectedOf as streamed } from "../oracle/opencode.mjs";
import { recordingsOf } from "../oracle/recordings.mjs";
import { Control } from "./harness.mjs";
import { temporaryDirectory } from "./processes.mjs";

const ORACLES = { claude_code: claudeCode, codex, gemini };
/** Runs that were broken off have open calls. */
const BROKEN_OFF = new Set(["abort-sigterm", "abort-in-tool-sigint"]);
let control;

before(async () => {
  control = new Control({ directory: temporaryDirectory(), secrets: { CONTROL_KEY: newControlKey() } });
  await control.start();
});
after(() => control?.stop());

for (const [agent, expectedOf] of Object.entries(ORACLES)) {
  describe(agent, () => {
    for (const name of recordingsOf(agent)) {
      it(name, async () => {
        const [truth, events] = [expectedOf(name), await played(agent, name)];
        const of = (kind) => events.filter(({ event }) => event === kind).map(({ data }) => data);

        const [steps, seen] = [truth.steps, stepsSeen(events)].map((all) => all.filter(({ kind }) => kind !== "error"));
        assert.equal(seen.length, steps.length);
        seen.forEach((step, index) => assert.deepEqual(step, steps[index], `step ${index}`));
        if (!BROKEN_OFF.has(name)) assert.deepEqual(unpaired(events), []);

        const errors = of("agent_error");
        const told = errors.map(({ message }) => message);
        const expected = truth.steps.filter(({ kind }) => kind === "error").map(({ text }) => text);
        // Claude Code's own words for retries, refusals and interrupts are not all a text of its output.
        if (agent === "claude_code") assert.deepEqual(told.filter((text) => expected.includes(text)), expected);
        else assert.deepEqual(told, expected);
        if (agent !== "claude_code") {
          assert.deepEqual(of("agent_notice").map(({ message }) => message), truth.notices);
          assert.deepEqual(of("user_message").map(({ by, text }) => [by, text]), truth.said);
          const returned = of("agent_tool_result").filter(({ exit_code }) => exit_code !== undefined);
          assert.deepEqual(returned.map(({ tool_use_id, exit_code }) => [tool_use_id, exit_code]), truth.exit_codes);
        }
        assert.equal(errors.filter(({ retryable }) => retryable === true).length, truth.retries);

        const files = of("file_changed").map(({ path, action }) => ({ path, action }));
        assert.deepEqual(files, truth.files);

        // Before it, the control server tells where it plays the recording.
        const sessions = of("agent_session").filter(({ session_id }) => session_id !== undefined);
        const [session] = sessions;
        assert.deepEqual([sessions.length, session.session_id], [1, truth.session_id]);
        assert.equal(session.model, truth.model ?? undefined);
        const totals = of("agent_usage").filter(({ cumulative }) => cumulative).at(-1);
        if (truth.usage === null) assert.equal(totals, undefined);
        else assert.deepEqual({ ...totals, ...truth.usage }, totals);
        if (truth.messages !== undefined) assert.deepEqual(sumOfMessages(of("agent_usage")), truth.messages);
        assert.equal(of("agent.status").filter(({ status }) => status === "waiting").length, truth.turns);

        assert.equal(of("parser_notice").length, 0);
        assert.equal(of("agent.exited").length, 1);
        assert.equal(events.at(-1).event, "agent.exited");
        assert.equal(of("agent.exited")[0].reason, truth.end ?? "failed");
      });
    }
  });
}

// What streams is compared kind by kind: a part of a message comes again and again, so its oracle has no one order.
for (const [program, name] of STREAMED) {
  it(`${program} ${name}`, async () => {
    const [truth, events] = [streamed(program, name), await played(program, name)];
    const seen = seenOf(events);
    for (const kind of ["session_id", "error", "results", "texts", "thoughts", "questions", "usage_by", "said"]) assert.deepEqual(seen[kind], truth[kind], kind);
    const sorted = (list) => [...list].sort((a, b) => (a.tool_use_id < b.tool_use_id ? -1 : 1));
    assert.deepEqual(sorted(seen.calls), sorted(truth.calls)); // told when it begins; the oracle has it where it ended
    const { cost_usd, ...tokens } = truth.usage;
    assert.ok(Math.abs(seen.usage.cost_usd - cost_usd) < 1e-9);
    assert.deepEqual({ ...seen.usage, cost_usd }, { ...tokens, cost_usd });
    assert.deepEqual([unpaired(events), events.filter(({ event }) => event === "parser_notice")], [[], []]);
    const failed = truth.error !== null && truth.error !== "The turn was interrupted";
    const ends = events.filter(({ event }) => event === "agent.exited");
    assert.deepEqual([ends.length, events.at(-1), ends[0].data.reason], [1, ends[0], failed ? "failed" : "completed"]);
  });
}

/** What all messages took: of each, what was told of it last. */
function sumOfMessages(usages) {
  const last = new Map(usages.filter(({ cumulative }) => !cumulative).map((usage) => [usage.message_id, usage]));
  const fields = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
  return Object.fromEntries(fields.map((field) => [field, [...last.values()].reduce((sum, usage) => sum + (usage[field] ?? 0), 0)]));
}

/** All events of a recording that is played at once, in a town of its own. */
async function played(agent, name) {
  const town_id = `${agent}-${name}`.replaceAll(".", "-");
  const ask = async (path, body) => {
    const answer = await control.ask(body === undefined ? "GET" : "POST", path, { town_id, body: JSON.stringify(body) });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };
  const ids = { agent_id: "a", run_id: "run", rig_id: "rig", name: "n", role: "polecat" };
  await ask("/agents/start", { ...ids, runtime: "replay", transcript: `${agent}/${name}`, speed: 0 });
  const { epoch } = await ask("/events?limit=1");
  const events = [];
  while (events.at(-1)?.event !== "agent.exited") {
    const page = await ask(`/events?epoch=${epoch}&after=${events.length}&ack=1&wait_ms=10000`);
    assert.ok(page.events.length > 0, `it stopped after ${events.length} events`);
    events.push(...page.events);
  }
  return events;
}
