// An agent cannot be its own operator: a real stand-in agent, which runs as a user of its own, tries to answer its own
// question, to start and stop others, to read another town's events, and to read the control server itself.

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { newControlKey } from "../../scripts/lib/control_key.mjs";
import { must, startWorld } from "./harness.mjs";
import { temporaryDirectory } from "./processes.mjs";
import { until } from "./until.mjs";

const isRoot = process.getuid?.() === 0 && process.platform === "linux";
const SKIP = isRoot ? false : "only root on Linux can run agents as other users";
const FIRST_USER = 61_000;
const USERS = `${FIRST_USER}-${FIRST_USER + 50}`;
const QUESTION = { type: "control_request", request_id: "may", request: { subtype: "can_use_tool", tool_name: "Bash", input: { command: "rm -rf /" }, tool_use_id: "call", permission_suggestions: [] } };

/**
 * The agent: it asks, and while nobody has answered, does all it can to help itself. Each line on standard error is what
 * it tried and what came of it.
 */
const AGENT = `#!/usr/bin/python3
import json, os, sys, urllib.request, urllib.error
told = json.loads(os.environ["TOLD"])
base, town, server = told["base"], told["town"], told["server"]
def say(what, came): print(json.dumps({"tried": what, "came": came}), file=sys.stderr, flush=True)
def call(what, method, path, body=None, headers={}):
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(base + path, data, {"Townwatch-Town": town, "Content-Type": "application/json", **headers}, method=method)
    try: came = urllib.request.urlopen(asked, timeout=10).status
    except urllib.error.HTTPError as refused: came = refused.code
    say(what, came)
def look(what, path, do=lambda path: open(path, "rb").read(64)):
    try:
        do(path)
        came = "done"
    except OSError as refused: came = refused.strerror
    say(what, came)
sys.stdin.readline()
print(json.dumps({"type": "system", "subtype": "init", "session_id": "s", "cwd": os.getcwd()}))
print(json.dumps(json.loads('''${JSON.stringify(QUESTION)}''')), flush=True)
me = told["me"]
call("answer itself", "POST", f"/agents/{me}/answer", {"request_id": "may", "answer": "always", "by": "operator"})
call("answer itself with what it found", "POST", f"/agents/{me}/answer", {"request_id": "may", "answer": "always", "by": "operator"}, {"Authorization": "Bearer " + told["public_key"]})
call("start another", "POST", "/agents/start", {"agent_id": "mine", "run_id": "mine", "rig_id": "rig", "name": "n", "role": "polecat", "runtime": "process", "command": ["true"]})
call("stop another", "POST", "/agents/victim/stop", {"signal": "SIGKILL"})
call("tell another", "POST", "/agents/victim/message", {"prompt": "x"})
town = told["other_town"]
call("read another town", "GET", "/events?after=0")
look("the server's environment", f"/proc/{server}/environ")
look("the server's memory", f"/proc/{server}/mem")
look("the server's descriptors", f"/proc/{server}/fd", os.listdir)
look("the server's program in memory", f"/proc/{server}/maps")
look("another run's environment", f"/proc/{told['victim_pid']}/environ")
look("another run's directory", told["victim_dir"], os.listdir)
look("all runs", told["work"], os.listdir)
look("its own directory", os.getcwd(), os.listdir)
look("its own HOME", os.environ["HOME"], os.listdir)
def end(pid): os.kill(int(pid), 9)
look("end the server", server, end)
look("end another run", told["victim_pid"], end)
descriptors = sorted(os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if int(number) > 2 and os.path.lexists(f"/proc/self/fd/{number}"))
say("descriptors that it was given", [one for one in descriptors if not one.startswith("/proc/")])
say("who it is", [os.getuid(), os.getgid(), os.getgroups(), sorted(name for name in os.environ if name.startswith("CONTROL"))])
sys.stdin.readline()
print(json.dumps({"type": "result", "subtype": "success", "result": "over", "uuid": "u"}), flush=True)
`;

/** Whether a process works; one that nobody has waited for yet does not. */
function lives(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("an agent", { skip: SKIP }, () => {
  let world;
  let town;
  let other;
  let work;
  let server;
  let came;
  let agent;
  let viewer;
  let victim;
  const lines = (kind) => world.control.log.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : [])).filter((line) => line.log === kind);

  before(async () => {
    const bin = temporaryDirectory();
    work = join(temporaryDirectory(), "work");
    mkdirSync(work);
    for (const dir of [bin, join(work, "..")]) chmodSync(dir, 0o755); // where an image would have them
    writeFileSync(join(bin, "claude"), AGENT);
    chmodSync(join(bin, "claude"), 0o755);
    world = await startWorld({ controlVars: { CONTROL_AGENT_USERS: USERS, CONTROL_WORK_DIR: work, PATH: `${bin}:${process.env.PATH}` } });
    town = await world.town();
    other = await world.town("Elsewhere");
    viewer = await world.watch(town.stream);
    const kept = "echo $$; echo secret > kept; exec sleep 300";
    victim = await world.startAgent(town, { agent_id: "victim", runtime: "process", command: ["sh", "-c", kept] });
    await world.startAgent(other, { agent_id: "stranger", runtime: "process", command: ["sh", "-c", "echo of another town; exec sleep 300"] });
    const victim_pid = await until("the other run's number", () => viewer.events.find((event) => event.agent_id === "victim" && event.event === "agent_output")?.data.text);
    server = world.control.pid;
    const told = {
      base: world.control.url, town: town.town_id, other_town: other.town_id, server, me: "lisa", victim_pid,
      victim_dir: join(work, town.town_id, victim.run_id), work, public_key: newControlKey(),
    };
    agent = await world.startAgent(town, { agent_id: "lisa", runtime: "claude_code", prompt: "Help yourself.", env_vars: { TOLD: JSON.stringify(told) } });
    const said = () => viewer.events.filter((event) => event.agent_id === "lisa" && event.data.stream === "stderr").map(({ data }) => JSON.parse(data.text));
    await until("all that it tries", () => said().some(({ tried }) => tried === "who it is"), 30_000, () => JSON.stringify(said()));
    came = Object.fromEntries(said().map((one) => [one.tried, one.came]));
  });
  after(() => world?.stop());

  it("is refused whatever it asks of the control server", () => {
    for (const tried of ["answer itself", "answer itself with what it found", "start another", "stop another", "tell another", "read another town"]) {
      assert.equal(came[tried], 401, tried);
    }
  });

  it("is seen in the log: what it asked for, and who it was", () => {
    const [user] = came["who it is"];
    const refused = lines("call_refused");
    assert.deepEqual(
      refused.map(({ method, path, why }) => [method, path, why]),
      [
        ["POST", "/agents/lisa/answer", "not_signed"],
        ["POST", "/agents/lisa/answer", "not_signed"],
        ["POST", "/agents/start", "not_signed"],
        ["POST", "/agents/victim/stop", "not_signed"],
        ["POST", "/agents/victim/message", "not_signed"],
        ["GET", "/events", "not_signed"],
      ],
    );
    for (const line of refused) assert.deepEqual([line.user, line.run_id], [user, agent.run_id], JSON.stringify(line));
    assert.deepEqual([refused[0].town_id, refused.at(-1).town_id], [town.town_id, other.town_id]);
  });

  it("cannot look into the control server, another run, or what lies beside its own", () => {
    for (const tried of ["the server's environment", "the server's memory", "the server's descriptors", "the server's program in memory"]) {
      assert.equal(came[tried], "Permission denied", tried);
    }
    for (const tried of ["another run's environment", "another run's directory", "all runs"]) assert.equal(came[tried], "Permission denied", tried);
    for (const tried of ["end the server", "end another run"]) assert.equal(came[tried], "Operation not permitted", tried);
    for (const tried of ["its own directory", "its own HOME"]) assert.equal(came[tried], "done", tried);
  });

  it("is a user of its own, in no group, and was given nothing that the server has open", () => {
    const [user, group, groups, variables] = came["who it is"];
    assert.ok(user > FIRST_USER && user <= FIRST_USER + 50, `${user}`);
    assert.deepEqual([group, groups, variables], [user, [], []]);
    assert.deepEqual(came["descriptors that it was given"], []);
    assert.notEqual(statSync(join(work, town.town_id, victim.run_id)).uid, user);
    assert.equal(statSync(join(work, town.town_id, agent.run_id)).mode & 0o777, 0o700);
  });

  it("the server has nothing that would be worth reading", () => {
    const environment = readFileSync(`/proc/${server}/environ`, "utf8");
    for (const secret of Object.values(world.secrets)) assert.ok(!environment.includes(secret));
    assert.ok(environment.includes("CONTROL_PUBLIC_KEY="));
  });

  it("still waits for the operator, whose answer it gets, and is told so in the log", async () => {
    const asked = () => viewer.events.filter((event) => event.event === "agent_question_answered");
    assert.deepEqual(asked(), [], "nobody has answered it");
    must(await world.api("POST", `${town.path}/agents/lisa/answer`, { request_id: "may", answer: "reject" }));
    await viewer.untilExit(agent.run_id);
    assert.deepEqual(asked().map(({ data }) => [data.answer, data.by]), [["reject", "operator"]]);
  });

  it("leaves nothing that goes on, and nothing that the next one could reach", async () => {
    must(await world.api("POST", `${town.path}/container/agents/victim/stop`, {}));
    await viewer.untilExit(victim.run_id);
    const left = statSync(join(work, town.town_id, victim.run_id));
    assert.deepEqual([left.uid, left.mode & 0o777], [0, 0o700], "its work is the server's now");
    assert.equal(readFileSync(join(work, town.town_id, victim.run_id, "kept"), "utf8"), "secret\n");
    assert.equal(readdirSync(join(work, ".homes")).length, 1, "the HOME of the other town's run");
    const run = await world.startAgent(town, { agent_id: "left", runtime: "process", command: ["sh", "-c", "setsid sleep 299 >/dev/null 2>&1 </dev/null & echo $!"] });
    await viewer.untilExit(run.run_id);
    const pid = viewer.events.find((event) => event.agent_id === "left" && event.event === "agent_output").data.text;
    assert.ok(!lives(pid), "what left its group ended with it");
  });
});

describe("a control server that runs agents as its own user", () => {
  let world;
  after(() => world?.stop());

  it("says so as it starts, and to the town", async () => {
    world = await startWorld();
    await until("its line", () => /^agents run as this server's own user: .*; they ask before they do things/m.test(world.control.log), 10_000);
    const town = await world.town();
    const { agents_apart, sandbox } = must(await world.api("GET", town.path)).container;
    assert.deepEqual([agents_apart, sandbox], [false, "none"]);
  });

  it("cannot be looked into even so", { skip: SKIP === false && "root looks into everything" }, async () => {
    assert.throws(() => readFileSync(`/proc/${world.control.pid}/environ`));
  });
});
