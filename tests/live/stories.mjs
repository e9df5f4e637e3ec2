// What the model of the tests has an agent do: steps, each a text and calls, in words that every agent has a tool for:
// `["read", path]`, `["write", path, text]`, `["run", command]`, `["ask", question, ...answers]`, `["hand", task, prompt]`; or
// `["tool", name, input]` as the agent's own. How an agent calls it, tests/models know. `$SAID` is what a person said last,
// `$PLAN_FILE` where the program keeps the plan.

const UNUSUAL = 'naïve café — 日本語 🚀👩‍👩‍👧 \u2028separated\u2029 "quoted" \\back\\ <b>&amp;</b> مرحبا';

/** So long that an agent's state has only the beginning of a question with it. */
export const LONG_ANSWER = `blue, ${"as the sea on the first warm evening of a long summer, ".repeat(120)}or nearly so`;

export const PARTS = [
  {
    question: "Which database?",
    header: "Database",
    options: [{ label: "PostgreSQL", description: "relational" }, { label: "SQLite", description: "a file" }],
    multiSelect: false,
  },
  {
    question: "Which features?",
    header: "Features",
    options: [{ label: "Login", description: "a" }, { label: "Logging", description: "b" }, { label: "Export", description: "c" }],
    multiSelect: true,
  },
];

export const LONG_COMMAND = `touch asked.txt ${Array.from({ length: 90 }, (_, number) => `&& test ! -e data/file-${number}.csv`).join(" ")}`;

export const PLAN = "# The plan\n\n1. First things\n2. Then the others\n";

export const STORIES = {
  work: [
    { text: "I look first.", thought: "Let me plan.", calls: [["read", "README.md"]] },
    { text: "Two at once.", calls: [["write", "hello.txt", "hello\n"], ["run", "echo one; sleep 0.1; echo two"]] },
    { text: "", calls: [["read", "missing.txt"]] },
    { text: `All done. ${UNUSUAL}`, calls: [] },
  ],
  /** Something that it may have to ask for. */
  may: [{ text: "May I?", calls: [["run", "touch asked.txt"]] }, { text: "I know now.", calls: [] }],
  /** Something that leaves its directory. */
  outside: [{ text: "Elsewhere.", calls: [["run", "touch /var/townwatch-outside"]] }, { text: "I know now.", calls: [] }],
  /** Something that only a person knows. */
  ask: [{ text: "I wonder.", calls: [["ask", "Which color?", "red", LONG_ANSWER]] }, { text: "I see.", calls: [] }],
  /** Two sub-agents that both have to ask. */
  two: [
    { text: "I hand it out.", calls: [["hand", "build the api", "story:may_api"], ["hand", "build the web", "story:may_web"]] },
    { text: "Both done.", calls: [] },
  ],
  noted: [{ text: "Noted.", calls: [] }],
  may_api: [{ text: "The api.", calls: [["run", "touch api.txt"]] }, { text: "The api is built.", calls: [] }],
  may_web: [{ text: "The web.", calls: [["run", "touch web.txt"]] }, { text: "The web is built.", calls: [] }],
  /** Two things at once that only a person knows, of which one has several answers. */
  parts: [{ text: "I wonder.", calls: [["tool", "AskUserQuestion", { questions: PARTS }]] }, { text: "I see.", calls: [] }],
  /** A command that is longer than people see at once. */
  whole: [{ text: "May I?", calls: [["run", LONG_COMMAND]] }, { text: "I know now.", calls: [] }],
  /** A plan that has to be allowed. */
  plan: [
    { text: "I plan.", calls: [["tool", "EnterPlanMode", {}]] },
    { text: "I write it down.", calls: [["write", "$PLAN_FILE", PLAN]] },
    { text: "This is it.", calls: [["tool", "ExitPlanMode", {}]] },
    { text: "I know now.", calls: [] },
  ],
  /** It says what it heard. */
  chat: [{ text: "You said: $SAID", calls: [] }],
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
