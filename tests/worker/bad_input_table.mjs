// Every route of the REST API, with a request that is right and the ways to make it wrong, one field at a time.
//
// - `body`: a right one; `missing`: fields that it cannot do without; `wrong`: by field, values that it must not have
// - `query`: by parameter, whole queries that are wrong because of it
// - `bytes` and `headers`: of a request whose body is no JSON
// Fields are named as the message must name them.

import { idOf, PICTURES } from "../pictures/pictures.mjs";

const LONG_ID = "x".repeat(65);
const NOT_IDS = ["", "a b", "a.b", "ä", "a/b", LONG_ID, 5, ["x"], {}];
const NOT_TEXT = [5, true, ["x"], { x: 1 }];
const NOT_NAMES = [...NOT_TEXT, null, "", "n".repeat(201)];
const NOT_POSITIONS = ["-1", "x", "1.5", "1e3", "0x10", "%20", ""];
const NOT_LIMITS = ["0", "1001", ...NOT_POSITIONS];

const cursors = {
  after_id: NOT_POSITIONS.map((value) => `after_id=${value}`),
  limit: NOT_LIMITS.map((value) => `limit=${value}`),
};
const pages = {
  ...cursors,
  before_id: NOT_POSITIONS.map((value) => `before_id=${value}`),
  tail: [...NOT_POSITIONS.map((value) => `tail=${value}`), "tail=5&after_id=1"],
  wait_ms: ["x", "-1", "1.5", "30001"].map((value) => `after_id=0&wait_ms=${value}`),
  event: ["a%20b", "", "x".repeat(65), "%C3%A4"].map((value) => `event=${value}`),
  run_id: ["a%20b", "", LONG_ID, "a.b"].map((value) => `run_id=${value}`),
  epoch: ["a%20b", LONG_ID].map((value) => `after_id=0&epoch=${value}`),
};
const streams = {
  ...{ after_id: cursors.after_id, tail: pages.tail },
  from: ["x", "1.5", "", "--1"].map((value) => `from=${value}`),
  flow: ["flow=nack", "flow="],
  until: ["until=dawn"],
  epoch: ["epoch=a%20b", `epoch=${LONG_ID}`],
};
const budget = { max_cost_usd: ["5", 0, -1, true, 1_000_001, 1e300], max_tokens: ["5", 0, -1, 1.5, true, 1_000_000_000_001, 1e300] };
const name = { wrong: { name: NOT_NAMES }, missing: ["name"] };

export const IMAGE_ID = idOf(PICTURES["image/png"]);

/**
 * The table, for a town, a rig of it and an agent of that.
 *
 * @returns {any[]}
 */
export function routesOf({ town_id, rig_id }, agent_id) {
  const town = `/api/towns/${town_id}`;
  const rig = `/api/rigs/${rig_id}`;
  const container = `${town}/container/agents/${agent_id}`;
  const start = { rig_id, name: "x", role: "polecat", runtime: "process", command: ["true"] };
  return [
    { method: "GET", path: "/health", open: true },
    { method: "POST", path: "/api/session", open: true, body: { key: "x" }, wrong: { key: NOT_TEXT, code: [...NOT_TEXT, "both at once"] }, missing: ["key"] },
    { method: "GET", path: "/api/session" },
    { method: "POST", path: "/api/session/code" },
    { method: "GET", path: "/api/sessions" },
    { method: "DELETE", path: "/api/sessions" },
    { method: "DELETE", path: "/api/sessions/no-session" },
    { method: "GET", path: "/api/metrics" },
    { method: "GET", path: "/api/settings" },
    { method: "DELETE", path: "/api/session", open: true },
    { method: "POST", path: "/api/towns", body: { name: "x" }, ...name },
    { method: "GET", path: "/api/towns" },
    { method: "GET", path: town },
    { method: "PATCH", path: town, body: { name: "x" }, missing: ["name"], wrong: { ...name.wrong, ...budget } },
    { method: "DELETE", path: town },
    {
      method: "POST",
      path: `${town}/rigs`,
      body: { name: "x" },
      missing: ["name"],
      wrong: { name: NOT_NAMES, git_url: [...NOT_TEXT, "https://me:secret@example.test/x.git"], default_branch: NOT_TEXT },
    },
    { method: "GET", path: `${town}/rigs` },
    { method: "DELETE", path: `${town}/rigs/${rig_id}` },
    { method: "POST", path: `${town}/rigs/${rig_id}/archive`, sends: false },
    { method: "DELETE", path: `${town}/rigs/${rig_id}/archive` },
    {
      method: "POST",
      path: `${rig}/agents`,
      body: { name: "x", role: "witness" },
      missing: ["name", "role"],
      wrong: { name: NOT_NAMES, agent_id: NOT_IDS, role: [...NOT_TEXT, null, "", "king", "Mayor", { mayor: null }] },
    },
    { method: "GET", path: `${rig}/agents` },
    {
      method: "POST",
      path: `${rig}/agents/${agent_id}/token`,
      body: {},
      wrong: { ttl_seconds: [0, -1, 86_401, 1.5, "60", true, 1e300] },
      optionalBody: true,
    },
    {
      method: "POST",
      path: `${rig}/agent-events`,
      body: { agent_id, event_type: "note" },
      missing: ["agent_id", "event_type"],
      wrong: {
        agent_id: NOT_IDS,
        event_type: ["", "a b", "ä", "a/b", LONG_ID, 5, ["note"], "hello", "state"],
        at: ["yesterday", "2026-13-01T00:00:00.000Z", "", 5, true],
        event_id: ["", "e".repeat(129), "ä", "tab\t", 5],
        run_id: NOT_IDS,
        events: ["x", 5, { event_type: "note" }, [{ event_type: "note" }]],
      },
    },
    {
      method: "POST",
      path: `${rig}/agent-events`,
      body: { agent_id, events: [{ event_type: "note" }] },
      missing: ["agent_id"],
      wrong: {
        data: [1, "x"],
        at: ["2026-01-02T03:04:05.678Z"],
        event_id: ["k"],
        run_id: ["r"],
        "events[0]": [[5], ["note"], [null]].map((events) => ({ events })),
        "events[1].event_type": [{ events: [{ event_type: "note" }, { event_type: "a b" }] }, { events: [{ event_type: "note" }, {}] }],
        "events[0].at": [{ events: [{ event_type: "note", at: "noon" }] }],
        "events[0].event_id": [{ events: [{ event_type: "note", event_id: "" }] }],
        "events[0].run_id": [{ events: [{ event_type: "note", run_id: "a b" }] }],
      },
    },
    { method: "GET", path: `${rig}/agents/${agent_id}/tokens` },
    { method: "DELETE", path: `${rig}/agents/${agent_id}/tokens` },
    { method: "DELETE", path: `${rig}/agents/${agent_id}/tokens/no-token` },
    { method: "GET", path: `${rig}/agents/${agent_id}/events`, query: cursors },
    {
      method: "PUT",
      path: `${rig}/agents/${agent_id}/images/${IMAGE_ID}`,
      bytes: PICTURES["image/png"],
      headers: { "content-type": "image/png" },
    },
    { method: "GET", path: `${town}/events`, query: pages },
    { method: "GET", path: `${town}/agents/${agent_id}/events`, query: pages },
    ...["0", "-1", "x", "1.5", "9007199254740992"].map((id) => ({
      method: "GET",
      path: `${town}/events/${id}`,
      always: [400, "invalid_request", "id"],
    })),
    { method: "GET", path: `${town}/events/1` },
    { method: "GET", path: `${town}/agents`, query: { archived: ["archived=yes"], limit: ["archived=true&limit=0"], after_agent_id: ["after_agent_id=a%20b"] } },
    { method: "GET", path: `${town}/agents/${agent_id}` },
    { method: "PATCH", path: `${town}/agents/${agent_id}`, body: { max_tokens: 5 }, missing: ["max_tokens"], wrong: budget },
    { method: "DELETE", path: `${town}/agents/${agent_id}` },
    { method: "POST", path: `${town}/agents/${agent_id}/archive`, sends: false },
    { method: "DELETE", path: `${town}/agents/${agent_id}/archive` },
    { method: "GET", path: `${town}/agents/${agent_id}/runs` },
    { method: "GET", path: `${town}/agents/${agent_id}/images/${IMAGE_ID}` },
    {
      method: "POST",
      path: `${town}/agents/${agent_id}/answer`,
      body: { request_id: "q", answer: "once" },
      missing: ["request_id", "answer"],
      wrong: { request_id: [...NOT_TEXT, null, ""], answer: [...NOT_TEXT, null, "", "yes", "Once"], text: NOT_TEXT },
    },
    { method: "GET", path: `${town}/container/health` },
    {
      method: "POST",
      path: `${town}/container/agents/start`,
      body: start,
      missing: ["rig_id", "name", "role", "runtime", "command"],
      wrong: {
        agent_id: NOT_IDS,
        rig_id: [...NOT_IDS, null],
        name: NOT_NAMES,
        role: [...NOT_TEXT, null, "", "king", { mayor: null }],
        runtime: [...NOT_TEXT, null, "", "cobol", "Process", { process: null }],
        prompt: NOT_TEXT,
        model: NOT_TEXT,
        system_prompt: NOT_TEXT,
        git_url: NOT_TEXT,
        branch: NOT_TEXT,
        default_branch: NOT_TEXT,
        env_vars: ["A=1", ["A=1"], { A: 1 }, 5],
        secret_env: ["A", [5], { A: 1 }, 5, Array(101).fill("A")],
        command: ["true", [], [5], {}, 5],
        speed: ["fast", -1, true],
        timeout_seconds: ["60", -1, 1.5, 0, true, 604_801],
        ...budget,
      },
    },
    {
      method: "POST",
      path: `${container}/stop`,
      body: {},
      optionalBody: true,
      wrong: { signal: ["SIGHUP", "", "sigterm", 9, ["SIGTERM"], { SIGTERM: null }] },
    },
    { method: "POST", path: `${container}/message`, body: { prompt: "x" }, missing: ["prompt"], wrong: { prompt: [...NOT_TEXT, null] } },
    { method: "GET", path: `${container}/status` },
    { method: "GET", path: `${town}/mayor/status` },
    { method: "POST", path: `${town}/mayor/message`, body: { message: "x" }, missing: ["message"], wrong: { message: [...NOT_TEXT, null, ""] } },
    { method: "POST", path: `${town}/mayor/destroy`, sends: false },
    { method: "POST", path: `${container}/stream-ticket`, sends: false },
    { method: "POST", path: `${town}/stream-ticket`, sends: false },
    { method: "GET", path: `${container}/stream`, query: streams, stream: true },
    { method: "GET", path: `${town}/stream`, query: streams, stream: true },
  ];
}
