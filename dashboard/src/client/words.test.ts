import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff_ms } from "./backoff.ts";
import { commandWords } from "./command_words.ts";
import type { ConnectionState } from "./connection.ts";
import { connectionWords } from "./connection.ts";
import { bytesWords, durationWords } from "./sentences.ts";

test("the back-off is Fibonacci from 100 ms to 15 s", () => {
  const delays = Array.from({ length: 14 }, (_, index) => backoff_ms(index + 1, 0.5));
  assert.deepEqual(delays, [100, 200, 300, 500, 800, 1300, 2100, 3400, 5500, 8900, 14400, 15000, 15000, 15000]);
  assert.equal(backoff_ms(1_000_000, 0.5), 15_000);
});

test("it strays by a tenth at most", () => {
  assert.equal(backoff_ms(4, 0), 450);
  assert.equal(backoff_ms(4, 0.999_999), 550);
});

test("the connection in words", () => {
  const cases: [ConnectionState, string][] = [
    [{ kind: "live", transport: "web_socket" }, "Live"],
    [{ kind: "catching_up", done: 312, total: 1040 }, "Catching up (312 / 1,040)"],
    [{ kind: "stale", since_ms: -85_000 }, "Stale (silent for 1 min 35 s)"],
    [{ kind: "reconnecting", attempt: 3, retry_at_ms: 11_200, reason: "" }, "Reconnecting (attempt 3, in 2 s)"],
    [{ kind: "reconnecting", attempt: 3, retry_at_ms: 9_000, reason: "" }, "Reconnecting (attempt 3, now)"],
    [{ kind: "offline" }, "Offline"],
    [{ kind: "denied", status: 401, code: "unauthorized", message: "" }, "Signed out"],
  ];
  for (const [state, words] of cases) assert.equal(connectionWords(state, 10_000), words);
});

test("durations and sizes", () => {
  const durations = [0, 340, 999, 1000, 1240, 9_960, 12_000, 60_000, 185_000, 3_600_000, 7_440_000].map(durationWords);
  assert.deepEqual(durations, ["0 ms", "340 ms", "999 ms", "1 s", "1.2 s", "10 s", "12 s", "1 min", "3 min 5 s", "1 h", "2 h 4 min"]);
  assert.deepEqual([0, 1, 1024, 1_572_864].map(bytesWords), ["0 bytes", "1 byte", "1 KiB", "1.5 MiB"]);
});

test("a command line falls into words like in a shell, and nothing is expanded", () => {
  const cases: [string, string[] | null][] = [
    ["npm test", ["npm", "test"]],
    ["  a   b ", ["a", "b"]],
    [`sh -c 'echo "$HOME" | wc'`, ["sh", "-c", `echo "$HOME" | wc`]],
    [`a "b c"d\\ e ''`, ["a", "b cd e", ""]],
    [`echo "it's"`, ["echo", "it's"]],
    ["", []],
    [`echo 'open`, null],
  ];
  for (const [line, words] of cases) assert.deepEqual(commandWords(line), words, line);
});
