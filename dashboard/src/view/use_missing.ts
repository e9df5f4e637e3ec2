// Fetches what the address asks for and the tab does not have: an event or a run from before its oldest.

import { useEffect, useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import type { RunView } from "../protocol/protocol.ts";
import { useHistory } from "./history_context.ts";
import { usePage } from "./page_context.ts";
import type { ViewQuery } from "./view_query.ts";

/** What is under way, or why something can not be shown. */
export function useMissing(agent_id: string, query: ViewQuery, runs: readonly RunView[], live: boolean, known: boolean): string | null {
  const { log } = usePage();
  const history = useHistory();
  const [words, setWords] = useState<string | null>(null);
  const run = runs.find(({ run_id }) => run_id === query.filter.run_id);
  const run_from = run === undefined || run.first_event_id === 0 ? null : run.first_event_id;

  async function reach(title: string, id: number, missingWords: () => string | null): Promise<void> {
    setWords(title);
    setWords(await history.reach(agent_id, id).then(missingWords, failureWords));
  }

  useEffect(() => {
    const { event_id } = query;
    if (!live || !known || event_id === null || hasEvent(event_id)) return setWords(null);
    void reach(`Looking for event ${event_id} in the log…`, event_id, () =>
      hasEvent(event_id) ? null : `Event ${event_id} is not among what the log has of this agent.`,
    );
  }, [query.event_id, live, known]);

  useEffect(() => {
    if (!live || run_from === null || begins() <= run_from) return;
    void reach("Fetching the run from the log…", run_from, () =>
      begins() <= run_from ? null : "The log has only the end of this run: it keeps an agent's newest events.",
    );
  }, [run_from, live]);

  function hasEvent(id: number): boolean {
    return log.rows.all.some((row) => row.id === id || row.events.some((event) => event.id === id));
  }

  /** The oldest event that is here. */
  function begins(): number {
    return log.rows.all.find((row) => row.events.length > 0)?.id ?? Infinity;
  }

  return words;
}
