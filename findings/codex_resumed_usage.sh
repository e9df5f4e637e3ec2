#!/usr/bin/env bash
# The usage of a resumed run of Codex is that of the whole thread, the earlier runs included.
#
# Version: @openai/codex 0.169.0 (npm), with a model on loopback that says 100 tokens read and 10 written each time.
# Source: what `codex exec --json` and `codex exec resume --json` print, run here.
# Behaviour: `turn.completed.usage` reads as the usage of the turn, or of the run. The second run, one call of the model
#   like the first, prints the sum of both; who adds up runs counts the first one twice.
# Seen: first run input_tokens 100, output_tokens 10; resumed run 200 and 20.
# For us: a thread's total is not a run's.
set -euo pipefail
folder="$(mktemp -d)"
trap 'kill "${model:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
timeout 240 npm install --silent --no-audit --no-fund --ignore-scripts @openai/codex@0.169.0
cat >model.mjs <<'JS'
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
const usage = { input_tokens: 100, input_tokens_details: { cached_tokens: 0 }, output_tokens: 10, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 110 };
let count = 0;
const server = createServer((request, response) => {
  request.resume().on("end", () => {
    if (request.method === "GET") return response.setHeader("content-type", "application/json").end('{"object":"list","data":[],"models":[]}');
    count += 1;
    const item = { type: "message", id: `msg_${count}`, status: "completed", role: "assistant", content: [{ type: "output_text", text: "Done.", annotations: [] }] };
    const whole = { id: `resp_${count}`, object: "response", model: "m", output: [item], usage };
    const events = [
      { type: "response.created", response: { ...whole, status: "in_progress", output: [], usage: null } },
      { type: "response.output_item.done", output_index: 0, item },
      { type: "response.completed", response: { ...whole, status: "completed" } },
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
mkdir -p home/.codex work
cat >home/.codex/config.toml <<TOML
model = "m"
model_provider = "local"
[model_providers.local]
name = "local"
base_url = "http://127.0.0.1:$(cat port)/v1"
wire_api = "responses"
TOML
export HOME="$folder/home" CODEX_HOME="$folder/home/.codex"
cd work
usage_of() { grep '"turn.completed"' | sed -E 's/.*"input_tokens":([0-9]+).*"output_tokens":([0-9]+).*/input_tokens \1, output_tokens \2/'; }
first="$(timeout 60 "$folder/node_modules/.bin/codex" exec --json --skip-git-repo-check 'say done' </dev/null 2>/dev/null | usage_of)"
resumed="$(timeout 60 "$folder/node_modules/.bin/codex" exec resume --last --json --skip-git-repo-check 'again' </dev/null 2>/dev/null | usage_of)"
seen="first run: $first
resumed run: $resumed"
expected="first run: input_tokens 100, output_tokens 10
resumed run: input_tokens 200, output_tokens 20"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed; expected:" >&2; echo "$expected" >&2; exit 1; }
