import assert from "node:assert/strict";
import { test } from "node:test";
import { event } from "../testing/fake_town.ts";
import { ATTACHMENTS_MAX, attachmentsOf, attachmentWords } from "./attachments.ts";
import { NO_FILTER } from "./filter.ts";
import { Items } from "./items.ts";
import { Rows } from "./rows.ts";

test("what is no attachment is left out, and what is wrong in one too", () => {
  for (const given of [undefined, null, "x", 7, {}, { length: 1 }]) assert.deepEqual(attachmentsOf(given), []);
  const given = [
    null,
    "image",
    { kind: "hologram" },
    { kind: "__proto__" },
    { kind: "image", image_id: 7, size_bytes: "many", name: ["x"] },
    { kind: "link", uri: "https://e.org", name: "a", media_type: "text/html", size_bytes: 3, problem: "p", image_id: "0a", more: 1 },
  ];
  assert.deepEqual(attachmentsOf(given), [
    { kind: "image" },
    { kind: "link", media_type: "text/html", name: "a", uri: "https://e.org", image_id: "0a", problem: "p", size_bytes: 3 },
  ]);
  assert.equal(attachmentsOf(Array.from({ length: 1_000 }, () => ({ kind: "image" }))).length, ATTACHMENTS_MAX);
});

test("an attachment in words", () => {
  assert.equal(attachmentWords({ kind: "image", media_type: "image/png", size_bytes: 12_600 }), "Picture, image/png, 12 KiB");
  assert.equal(attachmentWords({ kind: "document", name: "plan.pdf" }), "File “plan.pdf”");
  assert.equal(attachmentWords({ kind: "audio" }), "Sound");
});

test("a row has its result's attachments, and none where there are none", () => {
  const rows = new Rows();
  const result = (id: number, more: object) =>
    rows.append(event(id, "agent_tool_result", { tool_use_id: `t${id}`, success: true, content: "", content_length: 0, duration_ms: 1, ...more }));
  result(1, { attachments: [{ kind: "image", image_id: "0a" }] });
  result(2, {});
  result(3, { attachments: [{ kind: "hologram" }] });
  const found = rows.all.flatMap((row) => (row.kind === "result" ? [row.result.attachments] : []));
  assert.deepEqual(found, [[{ kind: "image", image_id: "0a" }], undefined, undefined]);
});

test("a result whose attachments are no list is none of the protocol's, and is shown raw", () => {
  const rows = new Rows();
  rows.append(event(1, "agent_tool_result", { tool_use_id: "t", success: true, content: "", content_length: 0, duration_ms: 1, attachments: "x" }));
  assert.deepEqual(rows.all.map(({ kind }) => kind), ["run", "unknown"]);
});

test("calls that gave something to see are never folded away", () => {
  const rows = new Rows();
  for (const id of [1, 3, 5, 7]) {
    const tool_use_id = `t${id}`;
    rows.append(event(id, "agent_tool_call", { tool_use_id, tool: "Read", category: "Read", input: {}, summary: "Reading" }));
    const data = { tool_use_id, success: true, content: "", content_length: 0, duration_ms: 1, attachments: [{ kind: "image", image_id: "0a" }] };
    rows.append(event(id + 1, "agent_tool_result", data));
  }
  const items = new Items();
  items.update(rows.list, { filter: NO_FILTER, open: new Set(), closed: new Set(), held: null });
  assert.deepEqual(items.all.filter((item) => item.kind === "group"), []);
});
