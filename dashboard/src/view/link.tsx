import type { ComponentChildren } from "preact";
import { go } from "./route.ts";

/** A link within the page: a plain click moves without loading, all other clicks are the browser's. */
export function Link({ to, class: name = "", children }: { to: string; class?: string; children: ComponentChildren }) {
  return (
    <a
      href={to}
      class={name}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
