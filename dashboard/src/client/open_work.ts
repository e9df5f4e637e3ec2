// What of an agent is open: calls without a result, questions without an answer, tasks in the background; each with the
// place of its row. A call ends with its result, else with the turn or the sub-agent that made it, else with its run.
//
// Ids are keys of Maps throughout, for they are the agents' own words and may be `__proto__`.

import type { Place } from "./growing_list.ts";

/** The rows of what has ended without saying so. */
export interface Ended {
  readonly calls: readonly Place[];
  readonly questions: readonly Place[];
  readonly tasks: readonly Place[];
}

interface Call {
  readonly place: Place;
  /** The call whose sub-agent makes it. */
  readonly parent: string | null;
}

interface Question {
  readonly place: Place;
  /** What it is about, or whose sub-agent asks. */
  readonly call: string | null;
  readonly parent: string | null;
}

interface Task {
  readonly place: Place;
  readonly call: string | null;
}

/** Open at once, of each kind, in all agents of a list; beyond it the oldest are let go of, and their rows stay as they are. */
export const OPEN_MAX = 4_000;
/** Sub-agents of sub-agents; what claims to be deeper is not looked at further. */
const DEPTH_MAX = 16;

export class OpenWork {
  readonly #calls = new Map<string, Call>();
  readonly #open_calls = new Map<string, Call>();
  readonly #questions = new Map<string, Question>();
  readonly #open_questions = new Map<string, Question>();
  readonly #tasks = new Map<string, Task>();
  readonly #open_tasks = new Map<string, Task>();
  /** Calls that go on in the background. */
  readonly #in_background = new Set<string>();
  /** Calls that have a sub-agent which called or asked something: only their results end anything else. */
  readonly #with_sub_agent = new Set<string>();

  /** Where the call's row is, open or not. */
  call(id: string): Place | undefined {
    return this.#calls.get(id)?.place;
  }

  openCall(id: string, call: Call): void {
    remember(this.#calls, id, call);
    remember(this.#open_calls, id, call, OPEN_MAX);
    this.#hasSubAgent(call.parent);
  }

  /** The call has a result: what its sub-agent left open ends with it, unless that goes on in the background. */
  closeCall(id: string): Ended {
    this.#open_calls.delete(id);
    const isLeader = this.#with_sub_agent.has(id);
    const isOver = (parent: string | null): boolean =>
      isLeader && parent !== null && !this.#isInBackground(parent) && this.#ancestry(parent).includes(id);
    const calls = isLeader ? [...this.#open_calls].filter(([, call]) => isOver(call.parent)) : [];
    const ended = this.#endCalls(calls);
    const questions = [...this.#open_questions].filter(([, question]) => question.call === id || isOver(question.parent));
    return { ...ended, questions: [...ended.questions, ...this.#endQuestions(questions)] };
  }

  question(id: string): Place | undefined {
    return this.#questions.get(id)?.place;
  }

  openQuestion(id: string, question: Question): void {
    remember(this.#questions, id, question);
    remember(this.#open_questions, id, question, OPEN_MAX);
    this.#hasSubAgent(question.parent);
  }

  closeQuestion(id: string): void {
    this.#open_questions.delete(id);
  }

  task(id: string): Place | undefined {
    return this.#tasks.get(id)?.place;
  }

  openTask(id: string, task: Task): void {
    remember(this.#tasks, id, task);
    remember(this.#open_tasks, id, task);
    if (task.call !== null) this.#in_background.add(task.call);
    const [oldest] = this.#open_tasks.keys();
    if (this.#open_tasks.size > OPEN_MAX && oldest !== undefined) this.closeTask(oldest);
  }

  closeTask(id: string): void {
    const call = this.#open_tasks.get(id)?.call;
    if (call !== undefined && call !== null) this.#in_background.delete(call);
    this.#open_tasks.delete(id);
  }

  /** The agent's turn is over: what it called and nobody answered was interrupted, but for what runs in the background. */
  endTurn(run: string): Ended {
    const ended = this.#endCalls([...this.#open_calls].filter(([id]) => id.startsWith(run) && !this.#isInBackground(id)));
    const goesOn = (id: string | null): boolean => id !== null && this.#isInBackground(id);
    const isOver = ({ call, parent }: Question): boolean => !goesOn(parent) && !(call !== null && this.#open_calls.has(call));
    const questions = [...this.#open_questions].filter(([id, question]) => id.startsWith(run) && isOver(question));
    return { ...ended, questions: [...ended.questions, ...this.#endQuestions(questions)] };
  }

  hasQuestions(run: string): boolean {
    return [...this.#open_questions.keys()].some((id) => id.startsWith(run));
  }

  /** Whether anything is under way that does not itself wait for a person. */
  isAtWork(run: string, isTurnOver: boolean): boolean {
    const ofRun = ([id]: [string, unknown]): boolean => id.startsWith(run);
    const questions = [...this.#open_questions].filter(ofRun).map(([, question]) => question);
    const tasks = [...this.#open_tasks].filter(ofRun);
    if (questions.length === 0) return !isTurnOver || tasks.length > 0;
    const waits = (id: string | null): boolean => id !== null && questions.some(({ call, parent }) => call === id || parent === id);
    const asks = (author: string | null): boolean => questions.some(({ call, parent }) => call === null && parent === author);
    const calls = [...this.#open_calls].filter(ofRun);
    const isModelAtWork = !isTurnOver && !questions.some(({ parent }) => parent === null) && !calls.some(([, { parent }]) => parent === null);
    return isModelAtWork || calls.some(([id, { parent }]) => !waits(id) && !asks(parent)) || tasks.some(([, { call }]) => !waits(call));
  }

  endRun(run: string): Ended {
    const ofRun = ([id]: [string, unknown]): boolean => id.startsWith(run);
    const { calls, questions } = this.#endCalls([...this.#open_calls].filter(ofRun));
    const others = this.#endQuestions([...this.#open_questions].filter(ofRun));
    const tasks = [...this.#open_tasks].filter(ofRun);
    for (const [id] of tasks) this.closeTask(id);
    return { calls, questions: [...questions, ...others], tasks: tasks.map(([, { place }]) => place) };
  }

  /** Lets go of all whose rows are before this place. */
  forget(first: Place): void {
    for (const [id, { place }] of this.#open_tasks) {
      if (place >= first) break;
      this.closeTask(id);
    }
    const all: Map<string, { readonly place: Place }>[] = [
      this.#calls, this.#open_calls, this.#questions, this.#open_questions, this.#tasks,
    ];
    for (const places of all) {
      for (const [id, { place }] of places) {
        if (place >= first) break;
        places.delete(id);
        if (places === this.#calls) this.#with_sub_agent.delete(id);
      }
    }
  }

  #endCalls(calls: readonly [string, Call][]): Ended {
    const ids = new Set(calls.map(([id]) => id));
    for (const id of ids) this.#open_calls.delete(id);
    const questions = [...this.#open_questions].filter(([, { call }]) => call !== null && ids.has(call));
    return { calls: calls.map(([, { place }]) => place), questions: this.#endQuestions(questions), tasks: [] };
  }

  #endQuestions(questions: readonly [string, Question][]): Place[] {
    for (const [id] of questions) this.#open_questions.delete(id);
    return questions.map(([, { place }]) => place);
  }

  #isInBackground(id: string): boolean {
    return this.#ancestry(id).some((one) => this.#in_background.has(one));
  }

  #hasSubAgent(parent: string | null): void {
    if (parent !== null && this.#calls.has(parent)) this.#with_sub_agent.add(parent);
  }

  /** The call, the one whose sub-agent made it, and so on. */
  #ancestry(id: string): string[] {
    const found: string[] = [];
    for (let at: string | null | undefined = id; at !== null && at !== undefined && found.length < DEPTH_MAX; at = this.#calls.get(at)?.parent) found.push(at);
    return found;
  }
}

/** The newest comes last, also under an id that was there before, so that what goes with the oldest rows stands first. */
function remember<T>(places: Map<string, T>, id: string, value: T, max = Infinity): void {
  places.delete(id);
  places.set(id, value);
  const [oldest] = places.keys();
  if (places.size > max && oldest !== undefined) places.delete(oldest);
}
