// What agents ask, over REST and with `townwatch questions` and `townwatch answer`: the real Worker, control server and
// command line. The agent is a stand-in for Claude Code that says on standard error what it hears.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";

import { Command, commandLine } from "./command_line.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { standIn } from "./stand_in.mjs";

const COMMAND = `rm -rf build${Array.from({ length: 150 }, (_, number) => ` && test -e file-${number}`).join("")}`;
const PARTS = [
  { question: "Which database?", header: "Database", options: [{ label: "PostgreSQL", description: "relational" }, { label: "SQLite" }], multiSelect: false },
  { question: "Which features?", options: [{ label: "Login" }, { label: "Logging" }, { label: "Export" }], multiSelect: true },
];

const request = (request_id, tool_name, input) => ({
  type: "control_request",
  request_id,
  request: { subtype: "can_use_tool", tool_name, input, tool_use_id: `call-${request_id}`, permission_suggestions: [] },
});

/** It asks two things at once, hears both answers and has done its work. */
const SCRIPT = `#!/bin/sh
hear() { IFS= read -r line && printf '%s\\n' "$line" >&2; }
hear
cat <<'END'
{"type":"system","subtype":"init","session_id":"s","cwd":"/w"}
${JSON.stringify(request("may", "Bash", { command: COMMAND }))}
${JSON.stringify(request("parts", "AskUserQuestion", { questions: PARTS }))}
END
hear
hear
echo '{"type":"result","subtype":"success","result":"over","uuid":"u"}'
`;

describe("questions", () => {
  let world;
  let town;

  before(async () => {
    standIn("claude", SCRIPT);
    world = await startWorld();
    town = await world.town();
  });
  after(() => world?.stop());

  const townwatch = (...args) => new Command(world, [...args, "--town", town.town_id]);
  const answer = (agent_id, body) => world.api("POST", `${town.path}/agents/${agent_id}/answer`, body);

  /** Starts one that asks; gives its name and what else there is to know. */
  async function asking(agent_id) {
    const viewer = await world.watch(town.stream);
    const { run_id } = await world.startAgent(town, { agent_id, name: `Lisa ${agent_id}`, runtime: "claude_code", prompt: "Fix it." });
    const own = (name) => viewer.events.filter((event) => event.agent_id === agent_id && event.event === name).map(({ data }) => data);
    await viewer.until("both questions", () => own("agent_question").length === 2);
    const ended = async () => {
      await viewer.untilExit(run_id);
      viewer.cut();
      const heard = own("agent_output").filter(({ stream }) => stream === "stderr").map(({ text }) => JSON.parse(text));
      const responses = heard.slice(1).map(({ response }) => [response.request_id, response.response]);
      return { own, responses: Object.fromEntries(responses) };
    };
    return { agent_id, ended };
  }

  it("are answered in any order over REST; who comes too late learns who was first", async () => {
    const { agent_id, ended } = await asking("rest");
    const answers = [{ choices: ["SQLite"] }, { choices: ["Login", "Export"], text: "and a search" }];
    mustRefuse(await answer(agent_id, { request_id: "parts", answer: "once", answers: answers.slice(0, 1) }), 400, "invalid_request", "answers");
    mustRefuse(await answer(agent_id, { request_id: "parts", answer: "once", text: "x".repeat((256 << 10) + 1) }), 413, "too_large", "text");
    must(await answer(agent_id, { request_id: "parts", answer: "once", answers }));
    const both = await Promise.all([1, 2].map(() => answer(agent_id, { request_id: "may", answer: "reject", text: "Not here." })));
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
    const late = both.find(({ status }) => status === 409);
    mustRefuse(late, 409, "conflict", "operator said no");
    assert.deepEqual(late.json.error.details, { answer: "reject", by: "operator" });
    const { own, responses } = await ended();
    const said = { "Which database?": "SQLite", "Which features?": "Login, Export, and a search" };
    assert.deepEqual(responses.parts, { behavior: "allow", updatedInput: { questions: PARTS, answers: said } });
    assert.deepEqual(responses.may, { behavior: "deny", message: "Not here." });
    assert.deepEqual(own("agent_question_answered"), [
      { request_id: "parts", answer: "once", by: "operator", answers },
      { request_id: "may", answer: "reject", by: "operator", text: "Not here." },
    ]);
    assert.deepEqual(own("user_message"), [{ text: "Fix it.", by: "operator", source: "prompt" }]);
  });

  it("a message has one bound", async () => {
    const { agent_id, ended } = await asking("message");
    const say = (prompt) => world.api("POST", `${town.path}/container/agents/${agent_id}/message`, { prompt });
    mustRefuse(await say("x".repeat((256 << 10) + 1)), 413, "too_large", "prompt");
    mustRefuse(await say(" \n"), 400, "invalid_request", "prompt");
    for (const request_id of ["may", "parts"]) must(await answer(agent_id, { request_id, answer: "reject" }));
    await ended();
  });

  it("are listed whole in a terminal, and answered from there", async () => {
    const { agent_id, ended } = await asking("list");
    const list = townwatch("questions", "--agent", agent_id);
    assert.equal(await list.code(), 0, list.stderr);
    assert.ok(list.stdout.includes(`\n    ${COMMAND}\n`), "the whole command");
    for (const line of ["  1. Database: Which database?", "     1  PostgreSQL  relational", "  2. Which features?", "     (one or several, or your own words)"]) {
      assert.ok(list.lines.includes(line), list.stdout);
    }
    assert.ok(list.stdout.includes("\n  townwatch answer may once|reject") && list.stdout.includes("\n  townwatch answer parts --choose 1 --choose 1,2"), list.stdout);
    const json = townwatch("questions", "--json");
    assert.equal(await json.code(), 0);
    const questions = json.lines.map((line) => JSON.parse(line));
    assert.deepEqual(questions.map(({ request_id }) => request_id), ["may", "parts"]);
    assert.deepEqual([questions[0].subject.text, questions[1].parts[0].options[0].description], [COMMAND, "relational"]);

    const vague = townwatch("answer", "--agent", agent_id, "once");
    assert.equal(await vague.code(), 2);
    assert.match(vague.stderr, /which question\?[\s\S]*may[\s\S]*parts/);
    const silent = townwatch("answer", "may");
    assert.equal(await silent.code(), 2);
    assert.ok(silent.stderr.includes("say what the answer is") && silent.stderr.includes(COMMAND), silent.stderr);
    const unfit = townwatch("answer", "parts", "--choose", "1");
    assert.deepEqual([await unfit.code(), /it asks 2 things and 1 are answered/.test(unfit.stderr)], [2, true], unfit.stderr);

    const chosen = townwatch("answer", "parts", "--choose", "SQLite", "--choose", "1,3");
    assert.deepEqual([await chosen.code(), chosen.stderr], [0, `townwatch: Lisa ${agent_id} has the answer\n`]);
    const only = townwatch("answer", "--agent", agent_id, "reject", "--text", "Not here.");
    assert.equal(await only.code(), 0, only.stderr);
    const { responses } = await ended();
    assert.deepEqual(responses.parts.updatedInput.answers, { "Which database?": "SQLite", "Which features?": "Login, Export" });
    assert.deepEqual(responses.may, { behavior: "deny", message: "Not here." });
    const late = townwatch("answer", "may", "allow");
    assert.equal(await late.code(), 2);
    assert.match(late.stderr, /question may was answered already: operator said no/);
    const nobody = townwatch("answer", "--agent", "stranger", "once");
    assert.deepEqual([await nobody.code(), nobody.stderr.includes("no agent stranger")], [2, true]);
  });

  it("are asked in a terminal, part by part", { skip: existsSync("/usr/bin/script") ? false : "there is no `script` to make a terminal with" }, async () => {
    const { agent_id, ended } = await asking("talk");
    const typed = (args, lines) => {
      const env = { ...process.env, TOWNWATCH_URL: world.url, TOWNWATCH_API_KEY: world.secrets.TOWNWATCH_API_KEY, TOWNWATCH_TOWN: town.town_id };
      const command = `${commandLine()} answer ${args}`;
      return execFileSync("/usr/bin/script", ["-qec", command, "/dev/null"], { env, input: `${lines.join("\n")}\n`, encoding: "utf8", timeout: 30_000 });
    };
    const shown = typed("may", ["maybe", "reject", "Not here."]);
    assert.ok(shown.includes(COMMAND) && shown.includes("Please say one of: once, reject."), shown);
    assert.ok(typed(`--agent ${agent_id}`, ["1,2", "2", "1, Export"]).includes("Only one can be chosen here."));
    const { responses } = await ended();
    assert.deepEqual(responses.may, { behavior: "deny", message: "Not here." });
    assert.deepEqual(responses.parts.updatedInput.answers, { "Which database?": "SQLite", "Which features?": "Login, Export" });
    const tail = townwatch("tail", "--agent", agent_id);
    assert.equal(await tail.code(), 0, tail.stderr);
    const said = tail.lines.map((line) => line.split(`Lisa ${agent_id}  `)[1]);
    for (const sentence of [
      "operator says: Fix it.",
      `asks: May it run \`${COMMAND}\`? [once, reject]`,
      "asks: (1) Which database? [PostgreSQL | SQLite] (2) Which features? [Login | Logging | Export, one or several]",
      "was answered reject by operator: Not here.",
      "was answered once by operator: SQLite; Login, Export",
    ]) {
      assert.ok(said.includes(sentence), `${sentence}\n${tail.stdout}`);
    }
  });
});
