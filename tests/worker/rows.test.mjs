// Rows are what a Durable Object's storage is billed by. How many an event, a page and a stream's opening cost is held
// here, on the real runtime's own count: rows of indices, the source's cursor, the agent's state, pruning and alarms
// included.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { EventSource } from "./event_source.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { countedOver, isQuiet, metricsOf } from "./metrics.mjs";
import { ScriptedControl } from "./scripted_control.mjs";
import { sleep, until } from "./until.mjs";

const EVENT_CAP = 200;
/** A turn of the relay sets two alarms and may be longer than a measurement; at least that of one turn is counted. */
const ALARMS_PER_TURN = 2;

const texts = (count) => Array.from({ length: count }, (_, index) => `line ${index} of something that an agent says`);
/** The contract's bound, and what it is in truth: a row and its index, and for each batch the cursor and the state. */
const BY_BATCH = [[10, 1_000, 3.3, 2.3], [1, 500, 5, 4.1]];
const show = (rows) => rows.toFixed(3);

describe("rows written", () => {
  let control;
  let world;

  before(async () => {
    control = await ScriptedControl.start();
    world = await startWorld({ control: false, vars: { CONTAINER_URL: control.url, EVENT_CAP } });
  });
  after(async () => {
    await world?.stop();
    await control?.stop();
  });

  for (const [batch_events, count, contract_max, rows_max] of BY_BATCH) {
    it(`by the relay, ${batch_events} event${batch_events > 1 ? "s" : ""} at a time: at most ${contract_max} an event`, async (test) => {
      const town = await world.town(`By ${batch_events}`);
      const agent_id = `speaker-${batch_events}`;
      const viewer = await world.watch(town.stream);
      await world.startAgent(town, { agent_id, runtime: "process", command: ["true"] });
      const said = () => viewer.events.filter(({ event }) => event === "agent_output").length;
      control.batch_events = 50;
      control.say(agent_id, texts(EVENT_CAP + 50)); // from here on each event prunes one
      await viewer.until("the first events", () => said() === EVENT_CAP + 50);

      control.batch_events = batch_events;
      control.answers.length = 0;
      const cost = await countedOver(world, town.path, async () => {
        control.say(agent_id, texts(count));
        await viewer.until("the events", () => said() === EVENT_CAP + 50 + count, 60_000);
      });
      assert.deepEqual(control.answers, Array(count / batch_events).fill(batch_events), "the relay's batches");
      assert.equal(cost.events_stored_total, count);
      const retained = (await metricsOf(world, town.path)).log_events_retained;
      assert.equal(retained, EVENT_CAP, "each event has pruned one");
      const alarms = Math.max(cost.alarms_set_total, ALARMS_PER_TURN);
      const rows = (cost.sql_rows_written_total + alarms) / count;
      test.diagnostic(`${show(rows)} rows written and ${show(cost.sql_rows_read_total / count)} read an event`);
      assert.ok(rows <= rows_max, `${show(rows)} rows an event`);
      assert.ok(rows > 2, `${show(rows)} rows an event are too few to be counted rightly: a row and its index are 2`);
    });
  }

  // In the rig an event is stored once more, for its receipt. Beside it a post writes the agent's counts and that it went,
  // and in three seconds one sets the alarm; an event_id has an index of its own.
  for (const [name, named, rig_max] of /** @type {any[][]} */ ([["without event_id", false, 2.4], ["with event_id", true, 3.4]])) {
    it(`of events posted in tens, ${name}: at most 2.3 in the town and ${rig_max} in the rig`, async (test) => {
      const town = await world.town(`Posted ${name}`);
      const rig = `/api/rigs/${town.rig_id}`;
      const agent_id = `poster-${named ? "named" : "unnamed"}`;
      await world.registerAgent(town, agent_id);
      let posted = 0;
      const post = async (count) => {
        const events = Array.from({ length: count }, () => ({
          event_type: "note",
          data: `note ${++posted}`,
          ...(named ? { event_id: `note-${posted}` } : {}),
        }));
        must(await world.post(town, agent_id, events), 201);
        const isTaken = async () => (await metricsOf(world, rig)).outbox_events === 0;
        await until("the town to take it over", isTaken);
      };
      await post(EVENT_CAP + 50);
      const [batches, batch_events] = [50, 10];
      const both = await countedOver(world, town.path, () =>
        countedOver(world, rig, async () => {
          for (let batch = 0; batch < batches; batch += 1) await post(batch_events);
        }),
      );
      const per_event = (cost) => (cost.sql_rows_written_total + cost.alarms_set_total) / (batches * batch_events);
      const [in_town, in_rig] = [per_event(both), per_event(both.value)];
      assert.equal(both.events_stored_total, batches * batch_events);
      assert.equal(both.value.events_stored_total, batches * batch_events);
      test.diagnostic(`${show(in_town)} rows an event in the town, ${show(in_rig)} in the rig`);
      assert.ok(in_town > 2 && in_town <= 2.3, `${show(in_town)} in the town`);
      assert.ok(in_rig > (named ? 3 : 2) && in_rig <= rig_max, `${show(in_rig)} in the rig`);
    });
  }

  it("of a post that nothing is new in: none", async () => {
    const town = await world.town("Twice");
    await world.registerAgent(town, "twice");
    const events = [{ event_type: "note", event_id: "once" }];
    must(await world.post(town, "twice", events), 201);
    const rig = `/api/rigs/${town.rig_id}`;
    await until("the town to take it over", async () => (await metricsOf(world, rig)).outbox_events === 0);
    const cost = await countedOver(world, rig, async () => must(await world.post(town, "twice", events), 201));
    assert.deepEqual([cost.value.duplicates, cost.sql_rows_written_total, cost.alarms_set_total], [1, 0, 0]);
  });
});

describe("rows read", () => {
  /**
   * Beyond the events that a page returns: the head twice, the oldest, what is pruned of the agent (of a town: of its
   * two), a row of look-ahead, and of a run its own row for each 64 events.
   */
  const PAGE_ROWS_MAX = 10;
  /** A stream of one agent: its ticket, made and used; the head, where it is not known, the oldest, the agent's state, what is pruned of it. */
  const JOIN_ROWS_MAX = 11;
  /** The right to resume that an event stream gets: its number, its place in two indices, and those that may be over. */
  const RIGHT_ROWS_MAX = 4;
  let world;
  let town;

  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
    for (const agent_id of ["busy", "rare"]) await world.registerAgent(town, agent_id);
  });
  after(() => world?.stop());

  const run_id = (index) => `run-${Math.floor(index / 100)}`;
  let busy = 0;
  /** Posts until `busy` has `count` events, runs of 100, with an event of `rare` among each hundred. */
  const fill = async (count) => {
    while (busy < count) {
      const events = Array.from({ length: 100 }, (_, index) => ({
        event_type: index === 99 ? "agent.exited" : "note",
        data: index === 99 ? { reason: "completed" } : busy + index,
        run_id: run_id(busy),
      }));
      must(await world.post(town, "busy", events), 201);
      must(await world.post(town, "rare", [{ event_type: "note", data: busy }]), 201);
      busy += 100;
    }
    const head = busy + busy / 100;
    const isStored = async () => {
      const metrics = await metricsOf(world, town.path);
      return metrics.log_head_id === head && isQuiet(metrics); // no state frame is due any more
    };
    await until("all to be stored", isStored);
    return head;
  };

  const joins = [];
  for (const count of [100, 2_000]) {
    it(`of a stream that is opened at the head of ${count} events: a constant`, async (test) => {
      const head = await fill(count);
      // The last state that this changed is sent half a second later, and read for that.
      await sleep(700);
      for (const agent_id of ["busy", "rare"]) {
        const stream = `${town.path}/container/agents/${agent_id}/stream`;
        const cost = await countedOver(world, town.path, async () => {
          const viewer = await world.watch(stream, { after_id: head });
          await viewer.untilCaughtUp();
          assert.deepEqual([viewer.events.length, viewer.framesOf("state").length], [0, 1]);
          viewer.cut();
        });
        test.diagnostic(`${agent_id}: ${cost.sql_rows_read_total} rows read`);
        assert.ok(cost.sql_rows_read_total <= JOIN_ROWS_MAX, `${cost.sql_rows_read_total} rows`);
        joins.push(cost.sql_rows_read_total);
      }
    });
  }

  it("of an event stream that a ticket opens, and of its return: a constant, also of rows written", async (test) => {
    const stream = `${town.path}/container/agents/busy/stream`;
    const address = `${world.url}${stream}?tail=0&ticket=${await world.ticket(stream)}`;
    const rows = [];
    let last;
    for (const what of ["opened", "back", "back"]) {
      const cost = await countedOver(world, town.path, async () => {
        const source = await EventSource.open(address, last === undefined ? {} : { "last-event-id": last });
        await source.untilCaughtUp();
        last = source.last_event_id;
        source.cut();
      });
      test.diagnostic(`${what}: ${cost.sql_rows_read_total} rows read, ${cost.sql_rows_written_total} written`);
      rows.push([cost.sql_rows_read_total, cost.sql_rows_written_total]);
    }
    const [[read, written], ...back] = rows;
    assert.ok(read <= JOIN_ROWS_MAX + RIGHT_ROWS_MAX && written <= 4, `${rows}`);
    for (const [read, written] of back) assert.ok(read <= JOIN_ROWS_MAX && written === 0, `${rows}`);
  });

  it("of an opened stream: the same whatever the log's size", () => {
    assert.equal(joins.length, 4);
    assert.ok(joins.every((rows) => rows === joins[0]), `${joins}`);
  });

  it("of a page: what it returns and a constant", async (test) => {
    const head = await fill(2_000);
    await sleep(1_100); // as above: a timer's rows are not the page's
    const events = `${town.path}/events`;
    const of = (agent_id) => `${town.path}/agents/${agent_id}/events`;
    /** @type {any[][]} */
    const cases = [
      ["the town from the start", `${events}?after_id=0&limit=200`, 200],
      ["the town from the middle", `${events}?after_id=1000&limit=200`, 200],
      ["the town's latest", `${events}?limit=200`, 200],
      ["the town backwards", `${events}?before_id=1000&limit=200`, 200],
      ["the town's tail", `${events}?tail=150`, 150],
      ["the town at its head", `${events}?after_id=${head}`, 0],
      ["an agent from the start", `${of("busy")}?after_id=0&limit=200`, 200],
      ["an agent from the middle", `${of("busy")}?after_id=1000&limit=200`, 200],
      ["an agent backwards", `${of("busy")}?before_id=1000&limit=200`, 200],
      ["an agent's tail", `${of("busy")}?tail=150`, 150],
      ["a rare agent from the start", `${of("rare")}?after_id=0&limit=200`, 20],
      ["a rare agent backwards", `${of("rare")}?before_id=${head}&limit=200`, 19],
      ["a rare agent's tail", `${of("rare")}?tail=10`, 10],
      ["a run of its agent", `${of("busy")}?after_id=0&limit=200&run_id=${run_id(1_000)}`, 100],
      ["a run of the town", `${events}?after_id=0&limit=200&run_id=${run_id(1_000)}`, 100],
      ["a run backwards", `${events}?before_id=${head}&limit=200&run_id=${run_id(500)}`, 100],
      ["a run that another agent has", `${of("rare")}?after_id=0&run_id=${run_id(500)}`, 0],
      ["a run that nobody has", `${events}?after_id=0&run_id=nobody`, 0],
    ];
    for (const [what, path, returned] of cases) {
      const cost = await countedOver(world, town.path, async () => must(await world.api("GET", path)));
      assert.equal(cost.value.events.length, returned, what);
      const beyond = cost.sql_rows_read_total - returned;
      test.diagnostic(`${what}: ${returned} events, ${beyond} rows more`);
      assert.ok(beyond >= 0 && beyond <= PAGE_ROWS_MAX, `${what}: ${cost.sql_rows_read_total} rows for ${returned} events`);
    }
  });

  it("of a look at the metrics: none", async () => {
    await sleep(1_100); // a timer for what came before this fires within a second
    const cost = await countedOver(world, town.path, () => sleep(10));
    assert.equal(cost.sql_rows_read_total, 0);
  });
});

describe("who may read metrics", () => {
  let world;
  before(async () => {
    world = await startWorld({ control: false });
  });
  after(() => world?.stop());

  it("is the operator, of a town and a rig that exist", async () => {
    const town = await world.town();
    await world.registerAgent(town, "poster");
    const token = await world.agentToken(town, "poster");
    for (const path of [town.path, `/api/rigs/${town.rig_id}`]) {
      assert.ok((await metricsOf(world, path)).instance_start_time_seconds > Date.now() / 1000 - 120);
      mustRefuse(await world.api("GET", `${path}/metrics`, undefined, { token: null }), 401, "unauthorized");
      mustRefuse(await world.api("GET", `${path}/metrics`, undefined, { token }), 403, "forbidden");
      mustRefuse(await world.api("POST", `${path}/metrics`, {}), 405, "method_not_allowed");
    }
    mustRefuse(await world.api("GET", "/api/towns/nowhere/metrics"), 404, "not_found");
    mustRefuse(await world.api("GET", "/api/rigs/nowhere/metrics"), 404, "not_found");
  });
});
