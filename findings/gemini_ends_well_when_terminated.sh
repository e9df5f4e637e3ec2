#!/usr/bin/env bash
# Gemini CLI exits with 0 when it is terminated in the middle of its turn, and prints no `result`.
#
# Version: @google/gemini-cli 0.61.0 (npm), with a model on loopback that begins an answer and never ends it.
# Source: what `gemini --output-format stream-json` prints and returns, run here; SIGTERM goes to its process group, as a
#   supervisor sends it.
# Behaviour: a program that is ended by SIGTERM returns 143, or dies of the signal. This one returns 0, as after a success;
#   only the missing `result` line tells that the turn was broken off.
# Seen: exit code 0, result lines 0.
# For us: a run has completed only if the agent said so, whatever its exit code.
set -euo pipefail
folder="$(mktemp -d)"
trap 'kill "${model:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
timeout 280 npm install --silent --no-audit --no-fund --ignore-scripts @google/gemini-cli@0.61.0
cat >model.mjs <<'JS'
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
const server = createServer((request, response) => {
  request.resume().on("end", () => {
    response.setHeader("content-type", "text/event-stream");
    const part = { candidates: [{ content: { role: "model", parts: [{ text: "Well" }] }, index: 0 }] };
    response.write(`data: ${JSON.stringify(part)}\n\n`);
    writeFileSync("asked", "");
  });
});
server.listen(0, "127.0.0.1", () => writeFileSync("port", String(server.address().port)));
JS
node model.mjs &
model=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
mkdir -p home/.gemini work
echo '{"security":{"auth":{"selectedType":"gemini-api-key"}}}' >home/.gemini/settings.json
export HOME="$folder/home" GEMINI_API_KEY=none GOOGLE_GEMINI_BASE_URL="http://127.0.0.1:$(cat port)" GEMINI_CLI_TRUST_WORKSPACE=true
cat >run.mjs <<'JS'
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
const agent = spawn(process.argv[2], ["--output-format", "stream-json", "-p", "say done"], { cwd: "work", detached: true, stdio: ["ignore", "pipe", "ignore"] });
let printed = "";
agent.stdout.on("data", (bytes) => (printed += bytes));
const look = setInterval(() => {
  if (!existsSync("asked")) return;
  clearInterval(look);
  setTimeout(() => process.kill(-agent.pid, "SIGTERM"), 2_000);
}, 100);
const limit = setTimeout(() => process.kill(-agent.pid, "SIGKILL"), 60_000);
agent.on("close", (code, signal) => {
  clearTimeout(limit);
  console.log(`exit code ${code}, signal ${signal}, result lines ${printed.split("\n").filter((line) => line.includes('"type":"result"')).length}`);
});
JS
seen="$(timeout 120 node run.mjs "$folder/node_modules/.bin/gemini")"
expected="exit code 0, signal null, result lines 0"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed; expected:" >&2; echo "$expected" >&2; exit 1; }
