// Who is let in where, written by hand from the contract: a line for each route, a mark for each caller. A route that is not
// here, or is not there any more, fails its test (doors.test.mjs).
//
//   .  let in: whatever is answered then, it is neither 401 nor 403
//   u  401 unauthorized    x  401 token_expired    r  401 token_revoked    t  401 ticket_invalid
//   f  403 forbidden       o  403 origin_not_allowed

/** The columns: each caller by its name in doors.test.mjs. */
export const CALLERS = [
  "nobody", "a wrong key", "the container's token",
  "the operator", "a session", "a session without an origin", "a session from a foreign page",
  "the agent", "an agent beside it", "its namesake in another town", "the agent, expired", "the agent, revoked",
  "the agent's ticket", "the town's ticket",
];

const READ = "uuu .... fffxf uu";
const WRITE = "uuu ..oo fffxf uu";

export const DOORS = {
  "GET /health": "... .... ..... ..",

  // The key stands in the body: whoever has it signs in. Whoever signs out is asked for nothing.
  "POST /api/session": "... ...o ..... ..",
  "GET /api/session": "uuu .... ...xr uu",
  "DELETE /api/session": "... ...o ..... ..",
  // A session makes no codes: it could live for ever by them.
  "POST /api/session/code": "uuu .foo fffxf uu",
  "GET /api/sessions": READ,
  "DELETE /api/sessions": WRITE,
  "DELETE /api/sessions/{session_id}": WRITE,
  "GET /api/metrics": READ,

  "GET /api/settings": READ,
  "POST /api/towns": WRITE,
  "GET /api/towns": READ,
  "GET /api/towns/{town_id}": READ,
  "PATCH /api/towns/{town_id}": WRITE,
  "DELETE /api/towns/{town_id}": WRITE,
  "POST /api/towns/{town_id}/rigs": WRITE,
  "GET /api/towns/{town_id}/rigs": READ,
  "DELETE /api/towns/{town_id}/rigs/{rig_id}": WRITE,
  "POST /api/towns/{town_id}/rigs/{rig_id}/archive": WRITE,
  "DELETE /api/towns/{town_id}/rigs/{rig_id}/archive": WRITE,

  "POST /api/rigs/{rig_id}/agents": WRITE,
  "GET /api/rigs/{rig_id}/agents": READ,
  "POST /api/rigs/{rig_id}/agents/{agent_id}/token": WRITE,
  "GET /api/rigs/{rig_id}/agents/{agent_id}/tokens": READ,
  "DELETE /api/rigs/{rig_id}/agents/{agent_id}/tokens": WRITE,
  "DELETE /api/rigs/{rig_id}/agents/{agent_id}/tokens/{token_id}": WRITE,
  // What an agent's token is for: itself. Whether it was revoked is asked where it would be let in.
  "POST /api/rigs/{rig_id}/agent-events": "uuu ..oo .ffxr uu",
  "POST /api/rigs/{rig_id}/agents/{agent_id}/heartbeat": "uuu ..oo .ffxr uu",
  "GET /api/rigs/{rig_id}/agents/{agent_id}/events": "uuu .... .ffxr uu",
  "PUT /api/rigs/{rig_id}/agents/{agent_id}/images/{image_id}": "uuu ..oo .ffxr uu",
  "GET /api/rigs/{rig_id}/metrics": READ,

  "GET /api/towns/{town_id}/events": READ,
  "GET /api/towns/{town_id}/agents/{agent_id}/events": READ,
  "GET /api/towns/{town_id}/events/{id}": READ,
  "GET /api/towns/{town_id}/agents": READ,
  "GET /api/towns/{town_id}/agents/{agent_id}": READ,
  "PATCH /api/towns/{town_id}/agents/{agent_id}": WRITE,
  "DELETE /api/towns/{town_id}/agents/{agent_id}": WRITE,
  "POST /api/towns/{town_id}/agents/{agent_id}/archive": WRITE,
  "DELETE /api/towns/{town_id}/agents/{agent_id}/archive": WRITE,
  "GET /api/towns/{town_id}/agents/{agent_id}/runs": READ,
  "GET /api/towns/{town_id}/agents/{agent_id}/images/{image_id}": READ,
  "GET /api/towns/{town_id}/metrics": READ,
  "POST /api/towns/{town_id}/agents/{agent_id}/answer": WRITE,

  "GET /api/towns/{town_id}/container/health": READ,
  "POST /api/towns/{town_id}/container/agents/start": WRITE,
  "POST /api/towns/{town_id}/container/agents/{agent_id}/stop": WRITE,
  "POST /api/towns/{town_id}/container/agents/{agent_id}/message": WRITE,
  "GET /api/towns/{town_id}/container/agents/{agent_id}/status": READ,
  "GET /api/towns/{town_id}/mayor/status": READ,
  "POST /api/towns/{town_id}/mayor/message": WRITE,
  "POST /api/towns/{town_id}/mayor/destroy": WRITE,

  "POST /api/towns/{town_id}/stream-ticket": WRITE,
  "POST /api/towns/{town_id}/container/agents/{agent_id}/stream-ticket": WRITE,
  // A browser names its origin on every upgrade, and a cookie needs it; on an event stream of its own origin it names none.
  "GET /api/towns/{town_id}/stream": { web_socket: "uuu ..oo fffxf t.", event_stream: "uuu ...o fffxf t." },
  "GET /api/towns/{town_id}/container/agents/{agent_id}/stream": { web_socket: "uuu ..oo fffxf .t", event_stream: "uuu ...o fffxf .t" },
};
