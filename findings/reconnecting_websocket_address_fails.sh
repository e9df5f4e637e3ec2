#!/usr/bin/env bash
# reconnecting-websocket gives up for good when its address cannot be made once.
#
# Version: reconnecting-websocket 4.4.0 with ws 8.23.0 (npm). Source: the package itself, run here.
# Behaviour: the address may be a function that gives a promise, made anew for each connection, as one does for tickets. If
#   that promise rejects once (the server that gives tickets restarts just then), the socket never asks again and tells no
#   `error`: it stays CONNECTING, where a connection that fails is tried again for ever.
# Seen: one call of the function in 2 s, state 0; an address where nobody listens: several.
# For us: what gives a ticket to such a client has to wait until there is one, and our documents have to say so.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
timeout 120 npm install --silent --no-audit --no-fund reconnecting-websocket@4.4.0 ws@8.23.0
cat >watch.cjs <<'JS'
const Socket = require("reconnecting-websocket");
const WebSocket = require("ws");
process.on("unhandledRejection", () => {});
const options = { WebSocket, minReconnectionDelay: 50, maxReconnectionDelay: 100, connectionTimeout: 500 };
const tried = (address) => {
  const seen = { calls: 0, errors: 0 };
  const socket = new Socket(() => ((seen.calls += 1), address()), [], options);
  socket.addEventListener("error", () => (seen.errors += 1));
  return { socket, seen };
};
const rejects = tried(() => Promise.reject(new Error("no ticket now")));
const refuses = tried(() => Promise.resolve("ws://127.0.0.1:9"));
setTimeout(() => {
  console.log("rejected:", rejects.seen.calls, "call,", rejects.seen.errors, "errors, state", rejects.socket.readyState);
  console.log("refused:", refuses.seen.calls > 3 ? "tried again" : `${refuses.seen.calls} calls`);
  process.exit(0);
}, 2000);
JS
seen="$(timeout 30 node watch.cjs)"
expected="rejected: 1 call, 0 errors, state 0
refused: tried again"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed; expected:" >&2; echo "$expected" >&2; exit 1; }
