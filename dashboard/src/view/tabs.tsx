// Tabs as ARIA has them: arrows move, only the chosen one is in the tab order.

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { countOfAll } from "./format.ts";
import type { Tab } from "./view_query.ts";

interface TabsProps {
  readonly tabs: readonly { readonly tab: Tab; readonly name: string; readonly count?: number; readonly tone?: string }[];
  /** Whether there may be more than is counted. */
  readonly isMore: boolean;
  readonly chosen: Tab;
  readonly choose: (tab: Tab) => void;
  readonly children: ComponentChildren;
}

export function Tabs({ tabs, isMore, chosen, choose, children }: TabsProps) {
  const list = useRef<HTMLDivElement>(null);

  function keyDown(event: KeyboardEvent): void {
    const at = tabs.findIndex(({ tab }) => tab === chosen);
    const steps: Readonly<Record<string, number>> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 };
    const to = Object.hasOwn(steps, event.key) ? steps[event.key] : undefined;
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = tabs[(to + tabs.length) % tabs.length];
    if (next === undefined) return;
    choose(next.tab);
    list.current?.querySelector<HTMLElement>(`#tab-${next.tab}`)?.focus();
  }

  return (
    <section class="tabs">
      <div class="tab-list" role="tablist" aria-label="What to look at" ref={list} onKeyDown={keyDown}>
        {tabs.map(({ tab, name, count, tone }) => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`tab-${tab}`}
            aria-selected={tab === chosen}
            aria-controls="tab-panel"
            tabIndex={tab === chosen ? 0 : -1}
            onClick={() => choose(tab)}
          >
            {name}
            {count !== undefined && count > 0 && <span class={`tab-count ${tone ?? "quiet"}`}>{countOfAll(count, isMore)}</span>}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${chosen}`}>
        {children}
      </div>
    </section>
  );
}
