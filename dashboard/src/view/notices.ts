// System notifications when a run ends, fails or asks: only for who asked for them, and only while the tab is hidden.

import { useEffect, useReducer } from "preact/hooks";
import type { News } from "../client/news.ts";
import { endSentence } from "../client/sentences.ts";
import type { TownStore } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import { keep, kept } from "./kept.ts";
import { agentPath, go } from "./route.ts";

const NAME = "townwatch.notices";

export type Notices = "unknown" | "on" | "off" | "forbidden";

function notices(): Notices {
  if (!("Notification" in window)) return "unknown";
  if (Notification.permission === "denied") return "forbidden";
  return Notification.permission === "granted" && kept(NAME) === "on" ? "on" : "off";
}

/** Whether they are wanted, and a way to change it: the browser asks the person itself. */
export function useNotices(): { state: Notices; toggle: () => Promise<void> } {
  const [, renderAgain] = useReducer((count: number, _: undefined) => count + 1, 0);
  const state = notices();
  return {
    state,
    toggle: async () => {
      const granted = state === "off" && (await Notification.requestPermission()) === "granted";
      keep(NAME, granted ? "on" : "off");
      renderAgain(undefined);
    },
  };
}

const titles: Readonly<Record<News["kind"], string>> = { asks: "asks you", failed: "failed", ended: "has ended" };

function textOf({ kind, agent }: News): string {
  if (kind === "asks") return agent.question?.detail ?? "";
  return agent.exit === null ? "" : endSentence(agent.exit, null).text;
}

export function useNews(store: TownStore, town_id: string): void {
  useEffect(
    () =>
      store.listenToNews((news) => {
        if (notices() !== "on" || document.visibilityState === "visible") return;
        const { agent } = news;
        // One of each agent at a time: the newest says what counts.
        const shown = new Notification(visibleText(`${agent.name} ${titles[news.kind]}`), { body: visibleText(textOf(news)), tag: agent.agent_id });
        shown.addEventListener("click", () => {
          window.focus();
          go(agentPath(town_id, agent.agent_id));
          shown.close();
        });
      }),
    [store, town_id],
  );
}
