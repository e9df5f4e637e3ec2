// No stream is compressed: a compressor is 220 KiB a socket, and a town has 128 MB for all that it has.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { after, before, it } from "node:test";

import { startWorld } from "./harness.mjs";

let world;

before(async () => {
  // workerd alone: the proxy of `wrangler dev` answers for it otherwise.
  world = await startWorld({ control: false, bare: true });
});
after(() => world?.stop());

it("a WebSocket that offers compression is opened without it", async () => {
  const { stream } = await world.town();
  const headers = {
    Authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}`,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
  };
  const request = http.get(world.url + stream, { headers });
  const [answer, socket] = await once(request, "upgrade");
  socket.destroy();
  assert.equal(answer.statusCode, 101);
  assert.equal(answer.headers["sec-websocket-extensions"], undefined);
});
