// What one can take from a row: a link to it, the command that fetches it, and its JSON.

import { useEffect, useRef, useState } from "preact/hooks";
import { eventText } from "../client/event_source.ts";
import { laidOut } from "../client/json_text.ts";
import type { Row } from "../client/row.ts";
import { usePage } from "./page_context.ts";
import { eventPath } from "./route.ts";

/** All that each row has of it is the button: the menu is made when it opens. */
export function RowMenu({ row }: { row: Row }) {
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const button = useRef<HTMLButtonElement>(null);

  /** Closes it where the reader is, and says what came of it if that is not to be seen. */
  function done(words: string | null): void {
    setOpen(false);
    button.current?.focus();
    if (words === null) return;
    setSaid(words);
    setTimeout(() => setSaid(null), 2_500);
  }

  function keyDown(event: KeyboardEvent): void {
    if (!open || event.key !== "Escape") return;
    done(null);
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class={open ? "row-menu open" : "row-menu"} onKeyDown={keyDown}>
      <button
        type="button"
        class="row-menu-button"
        ref={button}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={`More about event ${row.id}`}
        onClick={() => setOpen(!open)}
      />
      {open && <Menu row={row} close={() => setOpen(false)} done={done} />}
      {said !== null && (
        <span class="said-copied" role="status">
          {said}
        </span>
      )}
    </div>
  );
}

interface MenuProps {
  readonly row: Row;
  readonly close: () => void;
  readonly done: (words: string | null) => void;
}

function Menu({ row, close, done }: MenuProps) {
  const { town_id, parts } = usePage();
  const root = useRef<HTMLDivElement>(null);
  const isRaw = parts.has(rawName(row));

  useEffect(() => {
    root.current?.querySelector<HTMLButtonElement>("[role=menuitem]")?.focus();
    const outside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.parentElement?.contains(event.target) === false) close();
    };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, []);

  async function copy(what: string, text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      done(`${what} copied`);
    } catch {
      done("The browser does not let this page copy");
    }
  }

  function keyDown(event: KeyboardEvent): void {
    const items = [...(root.current?.querySelectorAll<HTMLButtonElement>("[role=menuitem]") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    items[(at + step + items.length) % items.length]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  const address = location.origin + eventPath(town_id, row.agent_id, row.id);
  const item = (text: string, chosen: () => void) => (
    <button type="button" role="menuitem" onClick={chosen}>
      {text}
    </button>
  );
  return (
    <div role="menu" class="menu" ref={root} onKeyDown={keyDown}>
      {item("Copy link", () => void copy("Link", address))}
      {item("Copy as curl", () => void copy("Command", curlOf(town_id, row)))}
      {item("Copy JSON", () => void copy("JSON", jsonOf(row)))}
      {item(isRaw ? "Hide JSON" : "Show JSON", () => {
        parts.set(rawName(row), !isRaw);
        done(null);
      })}
    </div>
  );
}

/** How the reader's open parts name a row's JSON. */
export const rawName = (row: Row): string => `${row.key}/raw`;

/** The events as they came, one value for one and a list for several. */
export function jsonOf(row: Row): string {
  const texts = row.events.map(eventText);
  return laidOut(texts.length === 1 ? (texts[0] ?? "null") : `[${texts.join(",")}]`);
}

function curlOf(town_id: string, row: Row): string {
  const addresses = row.events.map((event) => `'${location.origin}/api/towns/${town_id}/events/${event.id}'`);
  return `curl -sS -H "Authorization: Bearer $TOWNWATCH_API_KEY" ${addresses.join(" ")}`;
}
