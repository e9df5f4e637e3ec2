// JSON that survives only where nobody reads it into numbers and strings on the way.

const nested = (depth, inner) => `${"[".repeat(depth)}${inner}${"]".repeat(depth)}`;
const BACKSLASH = "\\";
const escaped = (code) => `${BACKSLASH}u${code}`;

/** Raw texts of values, each a known way to lose a byte. */
export const survivors = [
  "null",
  "true",
  '""',
  "0",
  "-0",
  "-0.0",
  "1e400",
  "-1E+400",
  "1e-400",
  "1.0",
  "1.10",
  "12345678901234567890",
  "-9223372036854775809",
  "3.141592653589793238462643383279502884197",
  "9007199254740993",
  "[]",
  "{}",
  '{"b":1,"a":2,"10":3,"9":4}',
  '{"a":1,"a":2}',
  '{"":0,"__proto__":{"x":1},"constructor":2}',
  `"${escaped("d800")}"`,
  `"${escaped("DFFF")} alone"`,
  `"${escaped("dfff")}${escaped("d800")}"`,
  `"${escaped("d83d")}${escaped("de00")}"`,
  `{"${escaped("d800")}":"a key"}`,
  `"${escaped("0000")}"`,
  `"${escaped("2028")}${escaped("2029")}"`,
  `"\u2028 and \u2029 as they are"`,
  `"${BACKSLASH}/ ${BACKSLASH}b${BACKSLASH}f${BACKSLASH}n${BACKSLASH}r${BACKSLASH}t ${BACKSLASH}" ${BACKSLASH}${BACKSLASH}"`,
  `"${escaped("0041")}${escaped("00e9")}"`,
  '"naïve café 日本語 🚀👩\u200d👩\u200d👧 مرحبا"',
  '"\u007f\u0085\ufeff\uffff"',
  '"<script>alert(1)</script><!-- ]]> -->"',
  '"data: x event: y id: 1"',
  nested(128, ""),
  nested(127, "1e400"),
  '{"type":"hello","id":1,"event":"agent.exited","data":{"events":[]}}',
];

/** The names of stream frames. */
export const FRAME_NAMES = [
  "hello",
  "state",
  "agent_deleted",
  "events",
  "preview",
  "caught_up",
  "gap",
  "backpressure",
  "subscription_confirmed",
  "heartbeat",
  "pong",
  "error",
];
