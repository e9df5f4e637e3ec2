import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQuery, queryText } from "./view_query.ts";

test("a view's address says all of it, and what is usual is not in it", () => {
  const whole = "?tab=tools&run=r1&show=all&kind=text%2Ctool&tool=Bash&tool=a%2Cb&status=failed&path=src%2F&q=two+words&event=12&with=b%2Cc";
  assert.equal(queryText(parseQuery(whole)), whole);
  assert.equal(queryText(parseQuery("")), "");
});

test("what an address can not mean is as if it were not there", () => {
  assert.equal(queryText(parseQuery("?tab=__proto__&event=-1&run=a/b&kind=constructor&status=x&with=../x,,a,b,c,d&nonsense=1")), "?with=a%2Cb%2Cc");
});
