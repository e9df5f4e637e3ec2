// What one can take from a row: a link to it, the command that fetches it, and its JSON.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Row } from "../client/row.ts";
import { Icon } from "./icons.tsx";
import { useOpen } from "./open_parts.ts";
import { usePage } from "./page_context.ts";
import { eventPath } from "./route.ts";

export function RowMenu({ row }: { row: Row }) {
  const { town_id, parts } = usePage();
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const [isRaw, toggleRaw] = useOpen(parts, `${row.key}/raw`);
  const root = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLButtonElement>("[role=menuitem]")?.focus();
    const outside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) === false) setOpen(false);
    };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [open]);

  async function copy(what: string, text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setSaid(`${what} copied`);
    } catch {
      setSaid("The browser does not let this page copy");
    }
    setOpen(false);
    root.current?.querySelector<HTMLButtonElement>(".row-menu-button")?.focus();
    setTimeout(() => setSaid(null), 2_500);
  }

  function keyDown(event: KeyboardEvent): void {
    if (!open) return;
    const items = [...(root.current?.querySelectorAll<HTMLButtonElement>("[role=menuitem]") ?? [])];
    const at = items.findIndex((item) => item === document.activeElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) items[(at + step + items.length) % items.length]?.focus();
    else if (event.key !== "Escape") return;
    else setOpen(false);
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
    <div class={open ? "row-menu open" : "row-menu"} ref={root} onKeyDown={keyDown}>
      <button
        type="button"
        class="row-menu-button"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={`More about event ${row.id}`}
        onClick={() => setOpen(!open)}
      >
        <Icon name="more" />
      </button>
      {open && (
        <div role="menu" class="menu">
          {item("Copy link", () => void copy("Link", address))}
          {item("Copy as curl", () => void copy("Command", curlOf(town_id, row)))}
          {item("Copy JSON", () => void copy("JSON", jsonOf(row)))}
          {item(isRaw ? "Hide JSON" : "Show JSON", () => {
            toggleRaw();
            setOpen(false);
          })}
        </div>
      )}
      {said !== null && (
        <span class="said-copied" role="status">
          {said}
        </span>
      )}
    </div>
  );
}

/** The events as they came, one value for one and a list for several. */
export function jsonOf(row: Row): string {
  const [only, ...others] = row.events;
  return JSON.stringify(others.length === 0 ? only : row.events, null, 2);
}

function curlOf(town_id: string, row: Row): string {
  const addresses = row.events.map((event) => `'${location.origin}/api/towns/${town_id}/events/${event.id}'`);
  return `curl -sS -H "Authorization: Bearer $TOWNWATCH_API_KEY" ${addresses.join(" ")}`;
}
