// What a search did not look at, because it is not in this tab: texts that the stream cut short, events from before the
// oldest. It is said, and looked at when asked.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { failureWords } from "../client/api.ts";
import type { EventLog } from "../client/event_log.ts";
import { fillGap } from "../client/history.ts";
import type { Row } from "../client/row.ts";
import type { Search } from "../client/search.ts";
import { isCut } from "../client/search.ts";
import { searchWhole } from "../client/whole_search.ts";
import type { TownEvent } from "../protocol/protocol.ts";
import { useHistory } from "./history_context.ts";

export interface Unsearched {
  /** Texts that were cut short, and how much of them is not here. */
  readonly cut_texts: number;
  readonly cut_bytes: number;
  /** Whether there are events from before the oldest that is here, or in between, that the town may still have. */
  readonly has_missing: boolean;
  /** Whether they are coming by themselves. */
  readonly is_coming: boolean;
  /** Texts of which the log no longer has the rest. */
  readonly gone_texts: number;
  /** Whether the log itself has lost events. */
  readonly has_lost: boolean;
  /** What is under way; null where nothing is. */
  readonly busy: "earlier" | { readonly looked: number; readonly total: number } | null;
  readonly problem: string | null;
  readonly start: () => void;
  readonly stop: () => void;
}

interface UnsearchedProps {
  readonly api: Api;
  readonly town_id: string;
  /** Whose log it is; null where it is that of all agents. */
  readonly agent_id: string | null;
  readonly log: EventLog;
  readonly search: Search | null;
  readonly cut: readonly Row[];
  /** Whether all that is here was looked at. */
  readonly done: boolean;
}

/** What a search learned of cut events: whether they have the text, null where the log has them no more. */
type Looks = Map<number, boolean | null>;

export function useUnsearched(props: UnsearchedProps): Unsearched & { readonly isAll: boolean } {
  const { api, town_id, agent_id, log, search } = props;
  const history = useHistory();
  const [busy, setBusy] = useState<Unsearched["busy"]>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const looks = useRef<{ readonly of: Search | null; readonly all: Looks }>({ of: null, all: new Map() });
  if (looks.current.of !== search) looks.current = { of: search, all: new Map() };
  const looked = looks.current.all;
  /** Names the look that is under way: an older one says nothing any more. */
  const turn = useRef(0);
  const latest = useRef(props);
  latest.current = props;

  function stop(): void {
    turn.current += 1;
    setBusy(null);
  }

  useEffect(() => {
    setProblem(null);
    return stop;
  }, [search]);

  const cutEvents = (): TownEvent[] => latest.current.cut.flatMap((row) => row.events.filter((event) => isCut(event) && !looked.has(event.id)));

  async function look(of: Search): Promise<void> {
    const own = (turn.current += 1);
    const isOver = (): boolean => own !== turn.current;
    setProblem(null);
    setBusy("earlier");
    try {
      for (const gap of log.gaps) {
        if (!isOver()) await fillGap({ api, town_id, log, agent_id: gap.agent_id }, gap);
      }
      while (!isOver() && log.lacksEarlier) await history.older(agent_id);
      // What came is drawn and looked at first; some of it may be cut, too.
      for (let frames = 0; !isOver() && (frames < 2 || !latest.current.done); frames += 1) await nextFrame();
      const events = cutEvents();
      let count = 0;
      if (!isOver()) setBusy({ looked: 0, total: events.length });
      const wasAll = await searchWhole(events, {
        ...{ api, town_id, log, isOver },
        search: of,
        looked: (event_id, has) => {
          looked.set(event_id, has);
          count += 1;
          setBusy({ looked: count, total: events.length });
        },
      });
      if (!wasAll && !isOver()) setProblem("So much was found that the search ended before the rest.");
    } catch (failure) {
      if (!isOver()) setProblem(failureWords(failure));
    }
    if (!isOver()) setBusy(null);
  }

  const cut = search === null ? [] : cutEvents();
  const gone_texts = [...looked.values()].filter((has) => has === null).length;
  const has_missing = log.gaps.length > 0 || log.lacksEarlier;
  return {
    cut_texts: cut.length,
    cut_bytes: cut.reduce((sum, event) => sum + (event.cut ?? []).reduce((bytes, part) => bytes + part.bytes, 0), 0),
    has_missing,
    is_coming: log.gaps.length === 0 && history.of(agent_id).standing === "coming",
    gone_texts,
    has_lost: log.hasLost,
    busy,
    problem,
    start: () => void (search !== null && look(search)),
    stop,
    isAll: cut.length === 0 && gone_texts === 0 && !has_missing && !log.hasLost,
  };
}

function nextFrame(): Promise<unknown> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}
