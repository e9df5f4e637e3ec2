// Where events come from: agents that post theirs, and agents that the control server runs. Each numbers what it says, so
// that afterwards it can be told whether all of it arrived, once, in its order.

import assert from "node:assert/strict";

import { expectedOf } from "../oracle/claude_code.mjs";
import { stepsSeen } from "../oracle/events.mjs";
import { present } from "../present.mjs";
import { members } from "../worker/raw_json.mjs";
import { sleep, until } from "../worker/until.mjs";

const RETRY_MS = 50;
const EVENT_FRAME_BYTES_MAX = 48 << 10;
/** A poster's run has so many events. */
export const RUN_EVENTS = 400;
/** So begin the names of agents that say 30 KB at a time. */
export const LOUD = "loud";
/** Those of which the oracle of recordings knows every step. */
const RECORDINGS = ["basic", "parallel", "subagent", "volume320"];

/** The `n`th event of an agent that posts, as raw JSON: every kind that may be left out, every kind that may not. */
function posted(agent_id, n) {
  const pad = "abcdefghij \\u2028 \\\"é".repeat(n % 12);
  const text = (kind, data) => ({ event: kind, data });
  if (n % RUN_EVENTS === 0) return text("agent.exited", `{"reason":"completed","exit_code":0}`);
  if (agent_id.startsWith(LOUD)) return text("agent_output", `{"text":"${n} ${"x".repeat(30_000)}","stream":"stdout"}`);
  // Beyond a frame: it is cut, and whole only where it is asked for by its id.
  if (n % 401 === 7) return text("note", `{"n":${n},"long":"${"\\u0001é".repeat(9_000)}"}`);
  switch (n % 9) {
    case 0:
      return text("agent_tool_call", `{"tool_use_id":"${agent_id}-${n}","tool":"Read","category":"Read","input":{"n":${n}},"summary":"Reading ${n}"}`);
    case 1:
      return text("agent_tool_result", `{"tool_use_id":"${agent_id}-${n - 1}","success":true,"content":"${pad}","content_length":${n},"duration_ms":1}`);
    case 2:
      return text("progress_update", `{"percentage":null,"current_phase":"${n}","tool_call_count":${n},"elapsed_seconds":1}`);
    case 3:
      return text("file_changed", `{"path":"src/${n}.rs","action":"modified","lines_added":${n}}`);
    case 4:
      return text("anything.at_all", `[${n}, 12345678901234567890, 1e400, "\\ud800", {"a" : 1.10}]`);
    case 5:
      return text("agent_error", `{"code":"odd","message":"${n} ${pad}"}`);
    default:
      return text("agent_output", `{"text":"${n} ${pad}","stream":"assistant"}`);
  }
}

/** An agent elsewhere that posts its events in batches, and again where it is not sure, or just so. */
export class Poster {
  world;
  town;
  ledger;
  agent_id;
  random;
  sent = 0;
  repeats = 0;
  retries = 0;
  #made = false;

  constructor(world, town, ledger, agent_id, random) {
    Object.assign(this, { world, town, ledger, agent_id, random });
  }

  async #register() {
    const body = { agent_id: this.agent_id, name: this.agent_id, role: "polecat" };
    await this.#insist(`/api/rigs/${this.town.rig_id}/agents`, body);
    this.#made = true;
  }

  /** Posts the next `count` events; once in a while some old ones with them. */
  async post(count) {
    if (!this.#made) await this.#register();
    const again = this.random() < 0.15 ? Math.min(Math.ceil(this.random() * 40), this.sent) : 0;
    const first = this.sent - again + 1;
    this.sent += count;
    const events = Array.from({ length: again + count }, (_, index) => {
      const { event, data } = posted(this.agent_id, first + index);
      return `{"event_type":"${event}","event_id":"n${first + index}","data":${data}}`;
    });
    const receipt = await this.#insist(
      `/api/rigs/${this.town.rig_id}/agent-events`,
      `{"agent_id":"${this.agent_id}","events":[${events.join(",")}]}`,
    );
    this.repeats += again;
    const { appended, duplicates, tries } = receipt;
    const words = `${this.agent_id}: ${appended} appended, ${duplicates} known, of ${count} new and ${again} old in ${tries} tries`;
    if (appended + duplicates !== events.length || appended > count) this.ledger.wrong(words);
    if (tries === 1 && appended !== count) this.ledger.wrong(words);
  }

  /** Until it is answered: the same again, as a client does that does not know. */
  async #insist(path, body) {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.world.api("POST", path, body).catch(() => null);
      if (answer?.status === 201) return { ...answer.data, tries };
      if (answer !== null && answer.status < 500) throw new Error(`${this.agent_id}: ${answer.status} ${answer.text}`);
      this.retries += 1;
      await sleep(RETRY_MS);
    }
  }

  /** The last event is the end of its last run. */
  async finish() {
    if (this.sent > 0 && this.sent % RUN_EVENTS !== 0) await this.post(RUN_EVENTS - (this.sent % RUN_EVENTS));
  }

  get lag() {
    return this.sent - this.ledger.countOf(this.agent_id);
  }

  /** All of it arrived, in order, once, as it was posted; each end begins a new run. */
  check(events) {
    assert.equal(events.length, this.sent, `${this.agent_id}: events`);
    const runs = new Set();
    events.forEach((event, index) => {
      const { event: kind, data } = posted(this.agent_id, index + 1);
      const words = `${this.agent_id}: event ${event.id} is its ${index + 1}th`;
      assert.equal(event.event, kind, words);
      const raw = members(this.ledger.texts.get(event.id)).get("data");
      if (Buffer.byteLength(data) < EVENT_FRAME_BYTES_MAX - 1_000) assert.equal(raw, data, words);
      else assert.ok(event.cut?.length > 0 && event.data.n === index + 1, `${words} and was cut`);
      if (index % RUN_EVENTS === 0) assert.ok(!runs.has(event.run_id), `${words} and begins a run`);
      else assert.ok(runs.has(event.run_id), `${words} and goes on in its run`);
      runs.add(event.run_id);
    });
  }
}

/** An agent under the control server: each of its runs prints the same numbered lines, or plays the same recording. */
export class Runner {
  world;
  town;
  ledger;
  agent_id;
  /** Runs that the town said it started, and starts of which nobody knows what came of them. */
  started = [];
  unsure = 0;
  /** @type {number | undefined} How many lines a run prints that plays no recording. */
  lines;

  constructor(world, town, ledger, agent_id, random) {
    Object.assign(this, { world, town, ledger, agent_id });
    if (random() < 0.3) {
      this.recording = RECORDINGS[Math.floor(random() * RECORDINGS.length)];
      this.order = { runtime: "replay", transcript: this.recording, speed: random() < 0.3 ? 20 : 0 };
    } else {
      this.lines = 50 + Math.floor(random() * 550);
      const pause = random() < 0.5 ? "[ $((i % 20)) -ne 0 ] || sleep 0.05;" : "";
      const script = `i=0; while [ $i -lt ${this.lines} ]; do echo "line $i"; i=$((i+1)); ${pause} done`;
      this.order = { runtime: "process", command: ["sh", "-c", script] };
    }
  }

  /** One run, to its end as far as readers see it. */
  async run(ms) {
    const order = { agent_id: this.agent_id, rig_id: this.town.rig_id, name: this.agent_id, role: "polecat", ...this.order };
    const answer = await this.world.api("POST", `${this.town.path}/container/agents/start`, order).catch(() => null);
    if (answer?.status !== 201) {
      if (answer !== null && answer.status < 500) throw new Error(`${this.agent_id}: ${answer.status} ${answer.text}`);
      this.unsure += 1;
      return;
    }
    const { run_id } = answer.data;
    this.started.push(run_id);
    await until(`the end of run ${run_id} of ${this.agent_id}`, () => this.ledger.ends.has(run_id), ms);
  }

  /** Each run said all, or up to where it was lost; none said anything that is not its own. Gives its ends' reasons. */
  check(events) {
    const runs = Map.groupBy(events, ({ run_id }) => run_id);
    for (const run_id of this.started) assert.ok(runs.has(run_id), `${this.agent_id}: run ${run_id} left no event`);
    assert.ok(runs.size <= this.started.length + this.unsure, `${this.agent_id}: ${runs.size} runs of ${this.started.length}`);
    return [...runs].map(([run_id, run]) => {
      const { reason } = run.at(-1).data;
      const words = `${this.agent_id}: run ${run_id}, ${reason}`;
      const [seen, whole] = this.recording === undefined ? this.#lines(run) : this.#steps(run);
      if (reason === "completed") assert.equal(seen.length, whole.length, words);
      else if (this.started.includes(run_id)) assert.equal(reason, "lost", words);
      else assert.match(reason, /^(lost|failed)$/, words);
      seen.forEach((one, index) => assert.deepEqual(one, whole[index], words));
      return reason;
    });
  }

  #lines(run) {
    const seen = run.filter(({ event }) => event === "agent_output").map(({ data }) => data.text);
    return [seen, Array.from({ length: present(this.lines) }, (_, line) => `line ${line}`)];
  }

  #steps(run) {
    // What a frame has no room for is cut; its length stands beside it.
    const short = ({ text, input, ...step }) => step;
    const seen = run.flatMap((event) => stepsSeen([event]).map((step) => ({ step, cut: event.cut !== undefined })));
    const whole = recorded(this.recording).map((step, index) => (seen[index]?.cut ? short(step) : step));
    return [seen.map(({ step, cut }) => (cut ? short(step) : step)), whole];
  }
}

const known = new Map();

function recorded(name) {
  if (!known.has(name)) known.set(name, expectedOf(name).steps);
  return known.get(name);
}
