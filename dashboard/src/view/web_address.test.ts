import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback, webAddress } from "./web_address.ts";

test("only addresses of the web are links", () => {
  assert.equal(webAddress("https://e.org/a b"), "https://e.org/a%20b");
  assert.equal(webAddress("HTTP://e.org"), "http://e.org/");
  for (const uri of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x", "//e.org", "x", ""]) {
    assert.equal(webAddress(uri), null, uri);
  }
});

test("an address that leads to the reader's own computer is known in every way that it can be written", () => {
  const own = ["localhost", "LOCALHOST:3000/x", "app.localhost", "localhost.", "127.0.0.1:8080", "127.9.9.9", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0.0.0.0:5173", "0", "[::1]:3000", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:2]", "user:pass@localhost"];
  for (const host of own) assert.ok(isLoopback(`http://${host}`), host);
  const others = ["e.org", "localhost.e.org", "127.0.0.1.e.org", "notlocalhost", "128.0.0.1", "e.org/localhost", "e.org/?127.0.0.1", "localhost@e.org", "[2001:db8::1]", "[::ffff:8.8.8.8]"];
  for (const host of others) assert.ok(!isLoopback(`http://${host}`), host);
  assert.ok(!isLoopback("localhost"), "no address");
});
