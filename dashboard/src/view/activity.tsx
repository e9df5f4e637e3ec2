// The list of everything an agent did. It follows the end as long as the reader is there; who scrolled up is left in
// peace and told how much came in meanwhile.
//
// Only chunks that changed are rendered again, and the browser lays out only those in sight (content-visibility).

import { Component } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RowChunk } from "../client/rows.ts";
import { countWords } from "../client/sentences.ts";
import type { TownStore } from "../client/town_store.ts";
import { ActivityRow } from "./activity_row.tsx";
import { useChanges } from "./hooks.ts";
import { Icon } from "./icons.tsx";

/** Closer to the end than this counts as being there. */
const END_PIXELS = 60;

export function Activity({ store, agent_id }: { store: TownStore; agent_id: string }) {
  const log = store.log(agent_id);
  useChanges(log.changes);
  useChanges(store.connectionChanges);
  const { rows } = log;
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const lastTop = useRef(0);
  /** `rows.added` when the reader left the end; null while following. */
  const [leftAt, setLeftAt] = useState<number | null>(null);

  function toEnd(): void {
    const element = scroller.current;
    if (element === null) return;
    element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
  }

  function scrolled(): void {
    const element = scroller.current;
    if (element === null) return;
    const rest = element.scrollHeight - element.clientHeight - element.scrollTop;
    // Content that grows also moves the end away: only a reader who moved up has left it.
    const movedUp = element.scrollTop < lastTop.current - 1;
    lastTop.current = element.scrollTop;
    if (rest < END_PIXELS) {
      following.current = true;
      setLeftAt(null);
    } else if (movedUp && following.current) {
      following.current = false;
      setLeftAt(rows.added);
    }
  }

  /** Who opens a row wants to read it: what it shows must not push it out of sight. */
  function pressed(event: Event): void {
    const onRow = event.target instanceof Element && event.target.closest("button") !== null;
    if (!onRow || !following.current) return;
    following.current = false;
    setLeftAt(rows.added);
    // By then the row is open; if the end is still in sight, nothing was left.
    requestAnimationFrame(() => requestAnimationFrame(scrolled));
  }

  useLayoutEffect(() => {
    if (following.current) toEnd();
  });
  useEffect(() => {
    if (content.current === null) return;
    // Rows that come into sight take their real height only then, and opened ones grow.
    const observer = new ResizeObserver(() => {
      if (following.current) toEnd();
    });
    observer.observe(content.current);
    return () => observer.disconnect();
  }, []);

  const state = store.connectionState;
  const missed = leftAt === null ? 0 : rows.added - leftAt;
  const empty = rows.chunks.length === 0;
  return (
    <div class="activity">
      <div class="scroller" ref={scroller} onScroll={scrolled} onClick={pressed} tabIndex={0} aria-label="Activity" role="region">
        {/* While history comes in, a screen reader would read out hours of it. */}
        <div class="rows" ref={content} role="log" aria-live={state.kind === "live" ? "polite" : "off"}>
          {rows.dropped_events > 0 && (
            <p class="dropped">
              {countWords(rows.dropped_events, "earlier event is", "earlier events are")} no longer in this tab.
            </p>
          )}
          {rows.chunks.map((chunk) => (
            <ChunkView key={chunk.key} chunk={chunk} version={chunk.version} />
          ))}
          {empty && <p class="nothing">{emptyWords(state.kind === "live", store.agent(agent_id) !== undefined)}</p>}
        </div>
      </div>
      {leftAt !== null && (
        <button
          type="button"
          class="to-end"
          onClick={() => {
            following.current = true;
            setLeftAt(null);
            toEnd();
          }}
        >
          {missed > 0 ? `${missed} new` : "To the end"}
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

function emptyWords(live: boolean, known: boolean): string {
  if (!live) return "Reading the log…";
  return known
    ? "Nothing has happened yet. What this agent does appears here."
    : "This town has no such agent yet. Should one come, what it does appears here.";
}

class ChunkView extends Component<{ chunk: RowChunk; version: number }> {
  override shouldComponentUpdate(next: { chunk: RowChunk; version: number }): boolean {
    return next.chunk !== this.props.chunk || next.version !== this.props.version;
  }

  override render() {
    return (
      <div class="chunk">
        {this.props.chunk.rows.map((row) => (
          <ActivityRow key={row.key} row={row} />
        ))}
      </div>
    );
  }
}
