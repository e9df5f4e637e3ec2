#!/usr/bin/env bash
# Claude Code's `assistant` lines carry the usage that the message began with, not what it took.
#
# Version: @anthropic-ai/claude-code 2.1.330 (npm), with a model on loopback that announces 1 token written when it begins
#   a message and says 50 when it ends. Source: what `claude -p … --output-format stream-json --verbose` prints, run here.
# Behaviour: each `assistant` line has `message.usage`, which reads as the message's usage. It is that of the API's
#   `message_start`; the figures of `message_delta` come in `result` only, or in `stream_event` lines where they are asked
#   for. A run that is killed has no `result`.
# Seen: assistant output_tokens 1, result output_tokens 50.
# For us: a message's usage is its last figure, that of `message_delta` where partial messages are printed.
set -euo pipefail
folder="$(mktemp -d)"
trap 'kill "${model:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
timeout 280 npm install --silent --no-audit --no-fund @anthropic-ai/claude-code@2.1.330
cat >model.mjs <<'JS'
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
const usage = (output_tokens) => ({ input_tokens: 10, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens });
const server = createServer((request, response) => {
  request.resume().on("end", () => {
    const message = { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], stop_reason: null, stop_sequence: null, usage: usage(1) };
    const events = [
      { type: "message_start", message },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Done." } },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: usage(50) },
      { type: "message_stop" },
    ];
    response.setHeader("content-type", "text/event-stream");
    response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
  });
});
server.listen(0, "127.0.0.1", () => writeFileSync("port", String(server.address().port)));
JS
node model.mjs &
model=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
mkdir home work
export HOME="$folder/home" ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat port)" ANTHROPIC_API_KEY=none CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
cd work
timeout 90 "$folder/node_modules/.bin/claude" -p 'say done' --output-format stream-json --verbose </dev/null >../printed 2>/dev/null
seen="$(node -e '
  const lines = require("fs").readFileSync("../printed", "utf8").trim().split("\n").map((line) => JSON.parse(line));
  for (const { type, message, usage } of lines) if (["assistant", "result"].includes(type)) console.log(type, "output_tokens", (message?.usage ?? usage).output_tokens);')"
expected="assistant output_tokens 1
result output_tokens 50"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed; expected:" >&2; echo "$expected" >&2; exit 1; }
