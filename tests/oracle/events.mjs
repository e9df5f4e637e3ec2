// Town events put into the oracle's words, so that the two lists can be compared as they stand.

/** The steps that a viewer saw, from the events of one run in the order they came. */
export function stepsSeen(events) {
  return events.flatMap(({ event, data }) => {
    switch (event) {
      case "agent_output":
        return data.stream === "assistant" || data.stream === "thinking"
          ? [{ kind: data.stream === "thinking" ? "thinking" : "text", text: data.text }]
          : [];
      case "agent_tool_call":
        return [{ kind: "call", tool_use_id: data.tool_use_id, tool: data.tool, input: data.input }];
      case "agent_tool_result": {
        const { tool_use_id, success, content, content_length } = data;
        return [{ kind: "result", tool_use_id, success, text: content, content_length }];
      }
      case "agent_error":
        return [{ kind: "error", text: data.message }];
      default:
        return [];
    }
  });
}

/** Says how calls and results do not pair: every call has exactly one result, and it comes after the call. */
export function unpaired(events) {
  const called = new Map();
  const problems = [];
  for (const { id, event, data } of events) {
    if (event === "agent_tool_call") {
      if (called.has(data.tool_use_id)) problems.push(`${data.tool_use_id} is called twice (event ${id})`);
      called.set(data.tool_use_id, 0);
    }
    if (event === "agent_tool_result") {
      if (!called.has(data.tool_use_id)) problems.push(`the result ${data.tool_use_id} has no call (event ${id})`);
      called.set(data.tool_use_id, (called.get(data.tool_use_id) ?? 0) + 1);
    }
  }
  for (const [call, results] of called) if (results !== 1) problems.push(`${call} has ${results} results`);
  return problems;
}
