// What the model of the tests has an agent do: steps, each a text and calls, in words that every agent has a tool for:
// `["read", path]`, `["write", path, text]`, `["run", command]`, `["ask", question, ...answers]`. How an agent calls it, tests/models know.

const UNUSUAL = 'naïve café — 日本語 🚀👩‍👩‍👧 \u2028separated\u2029 "quoted" \\back\\ <b>&amp;</b> مرحبا';

/** Longer than an agent's state holds. */
export const LONG_ANSWER = `blue, ${"as the sea on the first warm evening of a long summer, ".repeat(3)}or nearly so`;

export const STORIES = {
  work: [
    { text: "I look first.", thought: "Let me plan.", calls: [["read", "README.md"]] },
    { text: "Two at once.", calls: [["write", "hello.txt", "hello\n"], ["run", "echo one; sleep 0.1; echo two"]] },
    { text: "", calls: [["read", "missing.txt"]] },
    { text: `All done. ${UNUSUAL}`, calls: [] },
  ],
  /** Something that it may have to ask for. */
  may: [{ text: "May I?", calls: [["run", "touch asked.txt"]] }, { text: "I know now.", calls: [] }],
  /** Something that only a person knows. */
  ask: [{ text: "I wonder.", calls: [["ask", "Which color?", "red", LONG_ANSWER]] }, { text: "I see.", calls: [] }],
  /** To be stopped in the middle of a tool. */
  long: [{ text: "This takes long.", calls: [["run", "echo begun; sleep 120"]] }, { text: "Never said.", calls: [] }],
};

/** Each step costs as many tokens. */
export const TOKENS = { read: 1000, cached: 400, written: 20 };

/** The step of a story after so many calls, and its number; what is behind the last is the last. */
export function stepAfter(story, calls) {
  const steps = STORIES[story];
  let before = 0;
  const number = steps.findIndex((step) => (before += step.calls.length) > calls);
  return { number: number < 0 ? steps.length - 1 : number, ...(steps[number] ?? steps.at(-1)) };
}
