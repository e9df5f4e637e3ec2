import assert from "node:assert/strict";
import { test } from "node:test";
import { webAddress } from "./web_address.ts";

test("only addresses of the web are links", () => {
  assert.equal(webAddress("https://e.org/a b"), "https://e.org/a%20b");
  assert.equal(webAddress("HTTP://e.org"), "http://e.org/");
  for (const uri of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x", "//e.org", "x", ""]) {
    assert.equal(webAddress(uri), null, uri);
  }
});
