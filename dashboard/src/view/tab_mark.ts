// What the browser's tab says of the town: how many agents wait for a person in the title, and the same on its icon.

import { useEffect } from "preact/hooks";
import { attention } from "../client/attention.ts";
import type { AgentState } from "../protocol/protocol.ts";

export interface TownCounts {
  readonly asks: number;
  readonly failed: number;
  readonly running: number;
}

export function townCounts(agents: readonly AgentState[]): TownCounts {
  const kinds = agents.map((agent) => attention(agent));
  const count = (...wanted: string[]): number => kinds.filter((kind) => wanted.includes(kind)).length;
  return { asks: count("asks"), failed: count("failed", "lost"), running: count("running", "silent") };
}

/** "2 wait, 1 failed, 3 running", or nothing. */
export function countsText({ asks, failed, running }: TownCounts): string {
  const parts = [asks > 0 ? `${asks} ${asks === 1 ? "waits" : "wait"}` : "", failed > 0 ? `${failed} failed` : "", running > 0 ? `${running} running` : ""];
  return parts.filter((part) => part !== "").join(", ");
}

/** The icons lie beside the page as files: the policy lets no script make one. */
export function useFavicon({ asks, failed, running }: TownCounts): void {
  const name = asks > 0 ? `asks-${Math.min(asks, 10)}` : failed > 0 ? `failed-${Math.min(failed, 10)}` : running > 0 ? `running-${Math.min(running, 10)}` : "";
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (link === null) return;
    link.href = name === "" ? "/favicon.svg" : `/favicons/${name}.svg`;
    return () => {
      link.href = "/favicon.svg";
    };
  }, [name]);
}
