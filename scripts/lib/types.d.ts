// What the scripts hand each other.

/** The environment of a program. */
export type Env = NodeJS.ProcessEnv;

/** What a script, or a command that it ran, ends with: a signal by its name; nothing is 0. */
// biome-ignore lint/suspicious/noConfusingVoidType: a script that returns nothing ends well.
export type ExitCode = number | string | null | undefined | void;

/** Runs a piece of work, says what it is, and gives what it gives. */
export type Step = <T>(title: string, work: () => T | Promise<T>, about?: string) => Promise<T>;

/** What `setUp` gives: the programs that the others need. */
export interface Tools {
  readonly node: string;
  /** wrangler's command line as a command and its arguments. */
  readonly wrangler: (args: readonly string[]) => [string, string[]];
  readonly env: Env;
}

/** How many tests there were. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What `npm test` has ready for a group of tests. */
export interface TestTools extends Tools {
  readonly show?: boolean;
  readonly chromium?: string;
  readonly missing?: string;
}

/** A group of tests: what it needs built and looked for first, and how it runs. */
export interface TestGroup {
  readonly builds: readonly string[];
  readonly sandbox?: boolean;
  readonly others?: boolean;
  readonly browser?: boolean;
  /** It measures: it runs before the others, with nothing beside it. */
  readonly alone?: boolean;
  /** It minds no load: it runs beside the others, and is shown when it has ended. */
  readonly aside?: boolean;
  readonly run: (tools: TestTools) => Promise<GroupResult> | GroupResult;
}

/** What became of a group of tests, and what it printed where that is not shown yet. */
export interface GroupResult {
  readonly counts: Counts;
  readonly failure?: string | false;
  readonly output?: string;
}

/** What stands between agents of development and this machine (scripts/lib/sandbox.mjs). */
export interface Sandbox {
  readonly line?: string | undefined;
  readonly prepare?: { readonly title: string; readonly about: string; readonly work: () => unknown };
  readonly program: (how: { port: number; publicKey: string }) => { command: string; args: string[]; env: Env };
  readonly sweep: () => void;
  readonly end: () => void;
}

/** Variables by their names. */
export type Variables = { [name: string]: string };
