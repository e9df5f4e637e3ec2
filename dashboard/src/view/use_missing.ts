// Fetches what the address asks for and the tab does not have: an event or a run from before its oldest.

import { useEffect, useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import { loadBackTo, loadOlder } from "../client/history.ts";
import type { RunView } from "../protocol/protocol.ts";
import { usePage } from "./page_context.ts";
import type { ViewQuery } from "./view_query.ts";

interface Missing {
  /** What is under way, or why something can not be shown. */
  readonly words: string | null;
  readonly busy: boolean;
  readonly loadOlder: () => void;
}

export function useMissing(agent_id: string, query: ViewQuery, runs: readonly RunView[], live: boolean, known: boolean): Missing {
  const { api, town_id, log } = usePage();
  const whose = { api, town_id, agent_id, log };
  const [words, setWords] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const run = runs.find(({ run_id }) => run_id === query.filter.run_id);
  const run_from = run === undefined || run.first_event_id === 0 ? null : run.first_event_id;

  async function work(title: string, fetchIt: () => Promise<string | null>): Promise<void> {
    setBusy(true);
    setWords(title);
    setWords(await fetchIt().catch(failureWords));
    setBusy(false);
  }

  useEffect(() => {
    const { event_id } = query;
    if (!live || !known || event_id === null || hasEvent(event_id)) return setWords(null);
    void work(`Looking for event ${event_id} in the log…`, async () => {
      await loadBackTo(whose, event_id);
      return hasEvent(event_id) ? null : `Event ${event_id} is not among what the log has of this agent.`;
    });
  }, [query.event_id, live, known]);

  useEffect(() => {
    if (!live || run_from === null || (log.oldestOf(agent_id) ?? Infinity) <= run_from) return;
    void work("Fetching the run from the log…", async () =>
      (await loadBackTo(whose, run_from)) ? null : "The log has only the end of this run: it keeps an agent's newest events.",
    );
  }, [run_from, live]);

  function hasEvent(id: number): boolean {
    return log.rows.all.some((row) => row.id === id || row.events.some((event) => event.id === id));
  }

  return {
    words,
    busy,
    loadOlder: () =>
      void work("Fetching earlier events from the log…", async () => {
        await loadOlder(whose);
        return null;
      }),
  };
}
