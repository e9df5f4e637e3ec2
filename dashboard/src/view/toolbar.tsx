// Finding and leaving out: a text to jump between, filters, work or everything, and the view's own pause.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { CallStatus, Filter, Kind } from "../client/filter.ts";
import { isNarrow, KINDS, NO_FILTER, STATUSES } from "../client/filter.ts";
import type { Row } from "../client/row.ts";
import { visibleText } from "../client/visible_text.ts";
import { Icon } from "./icons.tsx";
import { UnsearchedLine } from "./unsearched_line.tsx";
import type { Unsearched } from "./use_unsearched.ts";

export interface ToolbarProps {
  readonly text: string;
  readonly find: (text: string) => void;
  /** How many rows have the text, which of them is shown, and whether there can be no others; null while nothing is looked for. */
  readonly matches: { readonly count: number; readonly at: number; readonly done: boolean } | null;
  /** What was not looked at; null while nothing is looked for. */
  readonly unsearched: Unsearched | null;
  readonly step: (by: 1 | -1) => void;
  readonly filter: Filter;
  readonly setFilter: (filter: Filter) => void;
  /** Whose tools can be chosen. */
  readonly rows: readonly Row[];
  /** Rows that came in since the view was frozen; null while it is not. */
  readonly waiting: number | null;
  readonly freeze: () => void;
}

export function Toolbar(props: ToolbarProps) {
  return (
    <>
      <Tools {...props} />
      {props.unsearched !== null && <UnsearchedLine {...props.unsearched} />}
    </>
  );
}

function Tools({ text, find, matches, step, filter, setFilter, rows, waiting, freeze }: ToolbarProps) {
  return (
    <div class="toolbar" role="search">
      <div class="find">
        <Icon name="search" />
        <input
          id="find"
          type="search"
          value={text}
          placeholder="Find"
          aria-label="Find a text"
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => find(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
            else if (event.key === "Escape") {
              if (text === "") event.currentTarget.blur();
              find("");
            } else return;
            event.preventDefault();
          }}
        />
        {matches !== null && (
          <>
            <span class="soft find-count" role="status">
              {matchWords(matches, filter)}
            </span>
            <button type="button" class="icon-button" aria-label="Previous place" disabled={matches.count === 0} onClick={() => step(-1)}>
              <Icon name="up" />
            </button>
            <button type="button" class="icon-button" aria-label="Next place" disabled={matches.count === 0} onClick={() => step(1)}>
              <Icon name="chevron" class="turned" />
            </button>
          </>
        )}
      </div>
      <FilterMenu filter={filter} setFilter={setFilter} rows={rows} />
      <div class="switch" role="group" aria-label="What to show">
        <button type="button" aria-pressed={!filter.system} onClick={() => setFilter({ ...filter, system: false })}>
          Work
        </button>
        <button type="button" aria-pressed={filter.system} onClick={() => setFilter({ ...filter, system: true })}>
          All
        </button>
      </div>
      <button type="button" class={waiting === null ? "button small freeze" : "button small freeze frozen"} aria-pressed={waiting !== null} onClick={freeze}>
        <Icon name={waiting === null ? "pause" : "play"} />
        <span class="wide-only">{waiting === null ? "Freeze" : "Frozen"}</span>
        {waiting !== null && waiting > 0 && ` ${waiting.toLocaleString("en")} waiting`}
      </button>
    </div>
  );
}

function matchWords({ count, at, done }: NonNullable<ToolbarProps["matches"]>, filter: Filter): string {
  const all = `${count.toLocaleString("en")}${done ? "" : "+"}`;
  const isFiltered = isNarrow(filter) || !filter.system || filter.run_id !== null;
  if (count === 0) return !done ? "none so far" : isFiltered ? "not in these rows" : "nowhere";
  return at < 0 ? all : `${(at + 1).toLocaleString("en")} / ${all}`;
}

const kindWords: Readonly<Record<Kind, string>> = {
  text: "Messages",
  thinking: "Thoughts",
  tool: "Tools",
  lines: "Printed",
  file: "Files",
  question: "Questions",
  error: "Errors",
  system: "Machinery",
};

function FilterMenu({ filter, setFilter, rows }: Pick<ToolbarProps, "filter" | "setFilter" | "rows">) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  // As they are when it opens: what one is about to press does not move.
  const tools = useMemo(() => (open ? toolsOf(rows) : []), [open]);
  const count = filter.kinds.length + filter.tools.length + Number(filter.status !== null) + Number(filter.path !== "");

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) === false) setOpen(false);
    };
    const onEscape = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      setOpen(false);
    };
    addEventListener("pointerdown", outside);
    addEventListener("keydown", onEscape, true);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("keydown", onEscape, true);
    };
  }, [open]);

  const toggled = <Word,>(list: readonly Word[], word: Word): Word[] =>
    list.includes(word) ? list.filter((one) => one !== word) : [...list, word];
  const chip = (name: string, chosen: boolean, choose: () => void) => (
    <button key={name} type="button" class="chip" aria-pressed={chosen} onClick={choose}>
      {visibleText(name)}
    </button>
  );
  const statusWords: Readonly<Record<CallStatus, string>> = { succeeded: "Succeeded", failed: "Failed", running: "Running" };
  return (
    <div class="filter" ref={root}>
      <button type="button" class="button small" aria-expanded={open} aria-controls="filter-panel" onClick={() => setOpen(!open)}>
        <Icon name="filter" />
        <span class="wide-only">Filter</span>
        {count > 0 && ` ${count}`}
      </button>
      {open && (
        <div id="filter-panel" class="menu filter-panel">
          <fieldset>
            <legend>Kind</legend>
            <div class="chips">
              {KINDS.map((kind) => chip(kindWords[kind], filter.kinds.includes(kind), () => setFilter({ ...filter, kinds: toggled(filter.kinds, kind) })))}
            </div>
          </fieldset>
          {tools.length > 0 && (
            <fieldset>
              <legend>Tool</legend>
              <div class="chips">
                {tools.map((tool) => chip(tool, filter.tools.includes(tool), () => setFilter({ ...filter, tools: toggled(filter.tools, tool) })))}
              </div>
            </fieldset>
          )}
          <fieldset>
            <legend>Result</legend>
            <div class="chips">
              {STATUSES.map((status) =>
                chip(statusWords[status], filter.status === status, () => setFilter({ ...filter, status: filter.status === status ? null : status })),
              )}
            </div>
          </fieldset>
          <label>
            <span>Path contains</span>
            <input
              class="mono"
              value={filter.path}
              spellcheck={false}
              autocomplete="off"
              onInput={({ currentTarget }) => setFilter({ ...filter, path: currentTarget.value })}
            />
          </label>
          {isNarrow(filter) && (
            <button type="button" class="text-button" onClick={() => setFilter({ ...NO_FILTER, system: filter.system, run_id: filter.run_id })}>
              Show all again
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function toolsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((row) => (row.kind === "call" ? [row.tool] : [])))].sort();
}
