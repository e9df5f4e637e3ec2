// A question as the agent asked it. An agent's state has room for the beginnings of long ones; the log has the whole.

import { useEffect, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { failureWords } from "../client/api.ts";
import { knownEvent } from "../client/event_shape.ts";
import { wholeEvent } from "../client/history.ts";
import type { OpenQuestion } from "../protocol/protocol.ts";

export interface WholeQuestion {
  /** Null until all of it is here. */
  readonly question: OpenQuestion | null;
  /** Why it is not, where that is known. */
  readonly problem: string | null;
  readonly retry: () => void;
}

export function useWholeQuestion(api: Api, town_id: string, known: OpenQuestion): WholeQuestion {
  const { event_id, cut } = known;
  const [fetched, setFetched] = useState<OpenQuestion | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [tries, setTries] = useState(0);

  useEffect(() => {
    if (!cut || fetched !== null) return;
    let isOver = false;
    setProblem(null);
    wholeEvent(api, town_id, event_id).then(
      (event) => {
        if (isOver) return;
        const asked = event === null ? null : knownEvent(event);
        if (asked?.event === "agent_question") setFetched({ ...known, ...asked.data, cut: false });
        else setProblem("The log does not have the whole of it any more.");
      },
      (failure) => !isOver && setProblem(failureWords(failure)),
    );
    return () => {
      isOver = true;
    };
  }, [api, town_id, event_id, cut, tries]);

  return { question: cut ? fetched : known, problem, retry: () => setTries(tries + 1) };
}
