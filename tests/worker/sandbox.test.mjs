// Agents in sandboxes of their own: what lies around them is out of their reach, and what they are to do goes on as ever.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";
import { temporaryDirectory } from "./processes.mjs";
import { until } from "./until.mjs";

/** Why there can be none here, or false. */
function missing() {
  try {
    execFileSync("bwrap", ["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "true"], { stdio: "ignore" });
    return false;
  } catch {
    return "bubblewrap is not installed here (sudo apt-get install bubblewrap), or may not make a sandbox";
  }
}

/** What stands in for Claude Code: tries what it is told, a line of shell each, and says what came of it. */
const AGENT = `#!/bin/sh
printf '%s\\n' "$TRIES" | while read -r try; do
  printf '%s => %s\\n' "$try" "$(sh -c "$try" 2>&1 | tr '\\n' ' ')" >&2
done
printf 'words => %s\\n' "$*" >&2
echo '{"type":"system","subtype":"init","session_id":"s"}'
echo '{"type":"result","subtype":"success","result":"done","uuid":"u"}'
read -r line; exit 0
`;

describe("an agent in a sandbox of its own", { skip: missing() }, () => {
  let world;
  let town;
  let viewer;
  let home;
  let other;
  const dirOf = ({ run_id }) => join(world.directory, "work", town.town_id, run_id);
  const eventsOf = (agent_id, name) => viewer.events.filter((event) => event.agent_id === agent_id && event.event === name);
  const shell = (agent_id, script) => world.startAgent(town, { agent_id, runtime: "process", command: ["sh", "-c", script] });

  /** Runs the stand-in, and gives what came of each try. */
  async function tries(agent_id, lines) {
    const run = await world.startAgent(town, { agent_id, runtime: "claude_code", prompt: "Help yourself.", env_vars: { TRIES: lines.join("\n") } });
    await viewer.untilExit(run.run_id);
    const said = eventsOf(agent_id, "agent_output").filter(({ data }) => data.stream === "stderr");
    return { run, came: Object.fromEntries(said.map(({ data }) => data.text.split(" => ")).map(([line, came]) => [line, came.trim()])) };
  }

  before(async () => {
    home = temporaryDirectory();
    const files = { ".ssh/id_ed25519": "private", ".claude/.credentials.json": "login", ".claude/projects/old.jsonl": "said before", ".codex/auth.json": "another login" };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    }
    const bin = temporaryDirectory();
    writeFileSync(join(bin, "claude"), AGENT);
    chmodSync(join(bin, "claude"), 0o755);
    const controlVars = { CONTROL_SANDBOX: "bubblewrap", HOME: home, PATH: `${bin}:${process.env.PATH}`, CONTROL_WAITING_SECONDS: "1" };
    world = await startWorld({ controlVars });
    town = await world.town();
    viewer = await world.watch(town.stream);
    other = await shell("other", "echo secret > kept; echo ready; exec sleep 300");
    await until("the other run is at work", () => eventsOf("other", "agent_output").length > 0);
  });
  after(() => world?.stop());

  it("is told of, and the agent need not ask", async () => {
    const { agents_apart, sandbox } = must(await world.api("GET", town.path)).container;
    assert.deepEqual([agents_apart, sandbox], [true, "bubblewrap"]);
    assert.match(world.control.log, /^agents run in sandboxes \(bubblewrap\), one for each run: .*; they do not ask/m);
    const { came } = await tries("words", []);
    assert.match(came.words, /--dangerously-skip-permissions/);
  });

  it("sees neither the project's keys, nor other runs, nor the control server", async () => {
    const keys = join(world.directory, ".dev.vars");
    assert.ok(readFileSync(keys, "utf8").includes("TOWNWATCH_API_KEY"), "they are there");
    const { pid } = world.control;
    const hidden = [`cat ${keys}`, `cat ${dirOf(other)}/kept`, `cat ${home}/.ssh/id_ed25519`, `cat ${home}/.claude/projects/old.jsonl`, `cat ${home}/.codex/auth.json`, `ls ${world.directory}/work/.homes`];
    // Patterns that do not find themselves.
    const lookAround = ["grep -al CONTROL_PUBLIC_KEY=[0-9a-f] /proc/[0-9]*/environ", "grep -al [s]leep.300 /proc/[0-9]*/cmdline"];
    const { came } = await tries("looks", [...hidden, ...lookAround, `kill -9 ${pid}`, `touch ${world.directory}/left`, "touch /usr/left", "touch /left", "grep CapEff /proc/self/status"]);
    for (const line of hidden) assert.match(came[line], /No such file or directory$/, line);
    for (const line of lookAround) assert.equal(came[line], "", line);
    assert.match(came[`kill -9 ${pid}`], /No such process/);
    for (const line of [`touch ${world.directory}/left`, "touch /usr/left", "touch /left"]) assert.match(came[line], /Read-only file system/, line);
    assert.match(came["grep CapEff /proc/self/status"], /0{16}$/, "it may do nothing that only root may");
    assert.ok(eventsOf("other", "agent.exited").length === 0, "the other one goes on");
  });

  it("has its own login, a HOME and a /tmp that go with it, and a directory that stays", async () => {
    const lines = ["cat ~/.claude/.credentials.json", "echo renewed > ~/.claude/.credentials.json", "echo x > ~/mine; echo y > /tmp/mine; cat ~/mine /tmp/mine", "echo $HOME; pwd", "echo made > made.txt"];
    const { run, came } = await tries("works", lines);
    assert.equal(came[lines[0]], "login");
    assert.equal(came[lines[2]], "x y");
    assert.equal(came[lines[3]], `${home} ${dirOf(run)}`);
    assert.equal(readFileSync(join(home, ".claude/.credentials.json"), "utf8"), "renewed\n", "the person's, too");
    assert.ok(!existsSync(join(home, "mine")) && !existsSync("/tmp/mine"));
    assert.deepEqual(readdirSync(join(world.directory, "work/.homes")), [other.run_id]);
    assert.equal(readFileSync(join(dirOf(run), "made.txt"), "utf8"), "made\n");
    assert.equal(statSync(dirOf(run)).mode & 0o777, 0o700);
    const changed = eventsOf("works", "file_changed").map(({ data }) => [data.path, data.action]);
    assert.deepEqual(changed, [["made.txt", "created"]]);
    const plain = await shell("plain", "cat ~/.claude/.credentials.json");
    assert.equal((await viewer.untilExit(plain.run_id)).data.reason, "failed");
    assert.match(eventsOf("plain", "agent_output")[0].data.text, /No such file/, "a plain command gets no login");
  });

  it("hears a stop before it is killed", async () => {
    const run = await shell("hears", "trap 'echo I go; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    await until("it is at work", () => eventsOf("hears", "agent_output").length > 0);
    must(await world.api("POST", `${town.path}/container/agents/hears/stop`, {}));
    await viewer.untilExit(run.run_id);
    assert.equal(eventsOf("hears", "agent.exited")[0].data.reason, "stopped");
    const said = eventsOf("hears", "agent_output").filter(({ data }) => data.stream === "stdout");
    assert.deepEqual(said.map(({ data }) => data.text), ["ready", "I go"]);
  });

  it("clones with the person's own git, and works in the clone", async () => {
    const directory = temporaryDirectory();
    const git = (...args) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: directory });
    writeFileSync(join(directory, "README.md"), "# Here\n");
    git("init", "--quiet", "--initial-branch=main");
    git("add", ".");
    git("commit", "--quiet", "-m", "start");
    const command = ["sh", "-c", `cat README.md; git log --format=%s; ls ${directory}`];
    const run = await world.startAgent(town, { agent_id: "cloned", runtime: "process", git_url: `file://${directory}`, command });
    await viewer.untilExit(run.run_id);
    const said = eventsOf("cloned", "agent_output").map(({ data }) => data.text);
    assert.deepEqual(said.slice(0, 2), ["# Here", "start"]);
    assert.match(said[2], /No such file/, "where it was cloned from it does not see");
  });
});
