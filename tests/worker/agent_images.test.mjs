// Pictures on their whole way: from what an agent prints, by the real control server or by `townwatch send`, to the town's
// own address; and what only looks like one, which goes no further than the line that it came in.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { HOSTILE, idOf, noisePng, PICTURES } from "../pictures/pictures.mjs";
import { Command } from "./command_line.mjs";
import { mustRefuse, startWorld } from "./harness.mjs";
import { temporaryDirectory } from "./processes.mjs";
import { standIn } from "./stand_in.mjs";
import { until } from "./until.mjs";

const named = (bytes, media_type = "image/png") => ({
  type: "image",
  source: { type: "base64", media_type, data: bytes.toString("base64") },
});
const REAL = Object.entries(PICTURES);
const FIVE_MIB = noisePng(1_330, 31);
/** What the town is told of each: the reason, and no name under which it could be fetched. */
const NONE = [
  ...HOSTILE.map(({ bytes, words }) => ({ bytes, words: words === "no PNG, JPEG, WebP or GIF" ? "none of them" : words })),
  { bytes: FIVE_MIB, words: "larger than 4 MiB" },
];

/** What is told of the kind of what is not kept: what its bytes begin as, whatever the agent calls it. */
function beginsAs(bytes) {
  if (bytes[0] === 0x89) return { media_type: "image/png" };
  return bytes.subarray(0, 4).toString() === "GIF8" ? { media_type: "image/gif" } : {};
}

/** What Claude Code prints when a tool gave these blocks. */
function claudePrints(blocks) {
  const session_id = "s";
  const message = (role, content) => ({ type: role, session_id, message: { id: "m", type: "message", role, content } });
  const lines = [
    { type: "system", subtype: "init", session_id, cwd: "/w", model: "m", tools: [] },
    message("assistant", [{ type: "tool_use", id: "look", name: "Read", input: { file_path: "/w/shot.png" } }]),
    message("user", [{ type: "tool_result", tool_use_id: "look", content: blocks }]),
    { type: "result", subtype: "success", session_id, result: "Seen.", uuid: "u" },
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** What Codex prints when a tool of an MCP server gave these. */
function codexPrints(pictures) {
  const content = pictures.map(([mimeType, bytes]) => ({ type: "image", mimeType, data: bytes.toString("base64") }));
  const item = { id: "look", type: "mcp_tool_call", server: "browser", tool: "shot", arguments: {}, result: { content }, status: "completed" };
  const lines = [{ type: "thread.started", thread_id: "t" }, { type: "turn.started" }, { type: "item.completed", item }];
  const usage = { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1 };
  return [...lines, { type: "turn.completed", usage }].map((line) => `${JSON.stringify(line)}\n`).join("");
}

const PRINTED = {
  real: claudePrints([{ type: "text", text: "Four pictures." }, ...REAL.map(([, bytes]) => named(bytes))]),
  hostile: claudePrints([{ type: "text", text: "No pictures." }, ...NONE.map(({ bytes }) => named(bytes))]),
};

describe("a picture that an agent's tool gave", () => {
  let world;
  let town;
  const get = (agent_id, bytes) => world.api("GET", `${town.path}/agents/${agent_id}/images/${idOf(bytes)}`);

  before(async () => {
    const printed = temporaryDirectory();
    for (const [name, text] of Object.entries(PRINTED)) writeFileSync(join(printed, `${name}.jsonl`), text);
    standIn("claude", `#!/bin/sh\nIFS= read -r prompt\nexec cat "${printed}/$SHOWN.jsonl"\n`);
    world = await startWorld();
    town = await world.town();
  });
  after(() => world?.stop());

  /** Lets an agent that shows these run under the control server; gives its result. */
  async function shownBy(agent_id, shown) {
    const viewer = await world.watch(town.stream);
    const order = { agent_id, runtime: "claude_code", prompt: "Look.", env_vars: { SHOWN: shown } };
    const { run_id } = await world.startAgent(town, order);
    await viewer.untilExit(run_id);
    viewer.cut();
    return viewer.events.find((one) => one.run_id === run_id && one.event === "agent_tool_result").data;
  }

  /** Sends what an agent prints through the pipe. */
  async function sent(agent_id, printed) {
    const send = new Command(world, ["send", "--rig", town.rig_id, "--agent", agent_id]);
    send.stdin.end(printed);
    const code = await send.code();
    return { code, stderr: send.stderr, stdout: send.stdout };
  }

  async function resultOf(agent_id) {
    const found = async () => (await world.pages(`${town.path}/agents/${agent_id}/events`)).find(({ event }) => event === "agent_tool_result");
    return (await until("the result", found)).data;
  }

  async function checkReal(agent_id, attachments) {
    const expected = REAL.map(([media_type, bytes]) => ({ kind: "image", media_type, size_bytes: bytes.length, image_id: idOf(bytes) }));
    assert.deepEqual(attachments, expected);
    for (const [media_type, bytes] of REAL) {
      const answer = await until("the picture", async () => ((await get(agent_id, bytes)).status === 200 ? get(agent_id, bytes) : null));
      assert.deepEqual([answer.headers["content-type"], answer.headers["x-content-type-options"]], [media_type, "nosniff"]);
      assert.ok(answer.bytes.equals(bytes), media_type);
    }
  }

  async function checkHostile(agent_id, attachments) {
    assert.equal(attachments.length, NONE.length);
    for (const [at, { bytes, words }] of NONE.entries()) {
      const { problem, ...rest } = attachments[at];
      assert.ok(problem.includes(words), `${words} in ${problem}`);
      assert.deepEqual(rest, { kind: "image", ...beginsAs(bytes), size_bytes: bytes.length });
      mustRefuse(await get(agent_id, bytes), 404, "not_found", "not here");
    }
  }

  it("comes from the container to the town", async () => {
    const { success, content, attachments } = await shownBy("seen", "real");
    assert.deepEqual([success, content], [true, "Four pictures."]);
    await checkReal("seen", attachments);
  });

  it("is told and not kept where it is none, is cut short or has 5 MiB", async () => {
    const { success, content, attachments } = await shownBy("hostile", "hostile");
    assert.deepEqual([success, content], [true, "No pictures."]);
    await checkHostile("hostile", attachments);
  });

  it("comes through a pipe, and is there before the event that names it", async () => {
    await world.registerAgent(town, "piped");
    const viewer = await world.watch(town.stream);
    const seen = viewer.until("the result", () => viewer.events.find(({ agent_id, event }) => agent_id === "piped" && event === "agent_tool_result"));
    const first = seen.then(() => Promise.all(REAL.map(([, bytes]) => get("piped", bytes))));
    const { code, stderr, stdout } = await sent("piped", PRINTED.real);
    assert.deepEqual([code, stderr, stdout === PRINTED.real], [0, "", true]);
    assert.deepEqual((await first).map(({ status }) => status), REAL.map(() => 200));
    viewer.cut();
    await checkReal("piped", (await resultOf("piped")).attachments);
    await world.registerAgent(town, "codex");
    assert.equal((await sent("codex", codexPrints(REAL))).code, 0);
    await checkReal("codex", (await resultOf("codex")).attachments);
  });

  it("comes through a pipe no more than through the container where it is none", async () => {
    await world.registerAgent(town, "piped-hostile");
    const { code, stderr } = await sent("piped-hostile", PRINTED.hostile);
    assert.deepEqual([code, stderr], [0, ""]);
    await checkHostile("piped-hostile", (await resultOf("piped-hostile")).attachments);
  });

  it("waits on disk as its event does, and comes with the next `send`", async () => {
    const early = await sent("stranger", PRINTED.real);
    assert.deepEqual([early.code, /register/.test(early.stderr)], [2, true], early.stderr);
    await world.registerAgent(town, "stranger");
    assert.equal((await sent("stranger", "in time\n")).code, 0);
    await checkReal("stranger", (await resultOf("stranger")).attachments);
  });
});
