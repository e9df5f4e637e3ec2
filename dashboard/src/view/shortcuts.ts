// Every key that does something, once: the sheet that `?` opens shows these lists, and `useShortcuts` hears them.

import { useEffect, useRef } from "preact/hooks";

export interface Shortcut {
  /** As `KeyboardEvent.key` has it. */
  readonly key: string;
  /** What one reads in the sheet; the key itself where absent. */
  readonly shown?: string;
  readonly what: string;
}

export interface ShortcutGroup {
  readonly title: string;
  readonly shortcuts: readonly Shortcut[];
}

/** Keys of a list of rows, one agent's or all. */
export const rowsShortcuts = {
  title: "An agent's page, and all activity",
  shortcuts: [
    { key: "/", what: "Find a text" },
    { key: "n", what: "Next place where it stands" },
    { key: "N", what: "Previous place" },
    { key: "e", what: "Next error" },
    { key: "E", what: "Previous error" },
    { key: "j", what: "Next row" },
    { key: "k", what: "Previous row" },
    { key: "Enter", what: "Open or close the row" },
    { key: "End", what: "To the end, and follow" },
    { key: " ", shown: "Space", what: "Freeze the view, or let it go on" },
    { key: "w", what: "Only the work, or everything" },
    { key: "c", what: "Copy a link to the row" },
    { key: "1", shown: "1 to 5", what: "Choose an agent's tab" },
    { key: "Escape", shown: "Esc", what: "Leave the search, then the row" },
  ],
} as const satisfies ShortcutGroup;

/** Keys that do the same on every page. */
export const commonShortcuts = {
  title: "Everywhere",
  shortcuts: [
    { key: "?", what: "Show or hide this sheet" },
    { key: "t", what: "To the town" },
  ],
} as const satisfies ShortcutGroup;

/** Keys of a town's page. */
export const townShortcuts = {
  title: "The town's page",
  shortcuts: [
    { key: "j", what: "Next agent" },
    { key: "k", what: "Previous agent" },
    { key: "Enter", what: "Open the agent" },
    { key: "s", what: "Start an agent" },
    { key: "m", what: "Write to the mayor" },
  ],
} as const satisfies ShortcutGroup;

export const shortcutGroups: readonly ShortcutGroup[] = [commonShortcuts, townShortcuts, rowsShortcuts];

/** What a key does; false: nothing, so that it keeps its usual meaning. */
export type KeyAction = (event: KeyboardEvent) => unknown;

/** Hears keys while the component is shown, except where one is typing or pressing something else. */
export function useShortcuts(actions: Readonly<Record<string, KeyAction>>): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const isControl = event.target instanceof Element && event.target.closest("button, a, summary, [role=tab], [role=menu]") !== null;
      if (isControl && (event.key === " " || event.key === "Enter")) return;
      const action = Object.hasOwn(latest.current, event.key) ? latest.current[event.key] : undefined;
      if (action !== undefined && action(event) !== false) event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}
