// What is not here of a log's past: that it is coming, why it does not come, or how to get it.

import { useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import { countWords } from "../client/sentences.ts";
import { useHistory } from "./history_context.ts";
import { usePage } from "./page_context.ts";

/** Whether the log has all that the town has of it: only then is an empty list a fact. */
export function useIsWhole(): boolean {
  const { agent_id } = usePage();
  return useHistory().of(agent_id).standing === "whole";
}

/** One line; nothing where all is here. */
export function Earlier() {
  const { agent_id, log } = usePage();
  const history = useHistory();
  const { standing, problem } = history.of(agent_id);
  const [isFetching, setFetching] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  async function fetchOlder(): Promise<void> {
    setFetching(true);
    setFailure(await history.older(agent_id).then(() => null, failureWords));
    setFetching(false);
  }

  if (standing === "whole") return null;
  const why = failure ?? problem;
  if (why !== null) {
    return (
      <p class="dropped" role="status">
        Earlier events could not be loaded: {why}{" "}
        <button type="button" class="text-button" onClick={() => (standing === "coming" ? history.retry() : void fetchOlder())}>
          Try again
        </button>
      </p>
    );
  }
  if (standing === "coming" || isFetching) {
    return (
      <p class="dropped" role="status">
        Loading earlier events…
      </p>
    );
  }
  const { dropped_events } = log.rows;
  return (
    <p class="dropped">
      {dropped_events === 0 ? "Earlier events are" : countWords(dropped_events, "earlier event is", "earlier events are")} no longer in this tab.{" "}
      <button type="button" class="text-button" onClick={() => void fetchOlder()}>
        Fetch them from the log
      </button>
    </p>
  );
}
