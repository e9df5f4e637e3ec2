// System notifications when a run ends, fails or asks: only for who asked for them, and only while the tab is hidden.

import { useEffect, useReducer } from "preact/hooks";
import type { News } from "../client/news.ts";
import { questionsSentence } from "../client/questions.ts";
import { endSentence } from "../client/sentences.ts";
import type { TownStore } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import { keep, kept } from "./kept.ts";
import { agentPath, go } from "./route.ts";

const NAME = "townwatch.notices";

/** Tells this page that a notification could not be shown. */
const FAILED = "townwatch.notice-failed";

/** `failed`: they were wanted, and this browser can not show them from a page (Chrome on Android, say). */
export type Notices = "unknown" | "on" | "off" | "forbidden" | "failed";

function notices(): Notices {
  if (!("Notification" in window)) return "unknown";
  if (Notification.permission === "denied") return "forbidden";
  const chosen = kept(NAME);
  if (chosen === "failed") return "failed";
  return Notification.permission === "granted" && chosen === "on" ? "on" : "off";
}

/** Whether they are wanted, and a way to change it: the browser asks the person itself. */
export function useNotices(): { state: Notices; toggle: () => Promise<void> } {
  const [, renderAgain] = useReducer((count: number, _: undefined) => count + 1, 0);
  useEffect(() => {
    const failed = (): void => renderAgain(undefined);
    addEventListener(FAILED, failed);
    return () => removeEventListener(FAILED, failed);
  }, []);
  const state = notices();
  return {
    state,
    toggle: async () => {
      keep(NAME, state !== "on" && (await isGranted()) ? "on" : "off");
      renderAgain(undefined);
    },
  };
}

async function isGranted(): Promise<boolean> {
  try {
    return (await Notification.requestPermission()) === "granted";
  } catch {
    // A page inside another one may not even ask.
    return false;
  }
}

/** Shows one; where the browser can not, they are off from now on, and the page says so. */
function notify(title: string, options: NotificationOptions, clicked: () => void): void {
  try {
    const shown = new Notification(title, options);
    shown.addEventListener("click", () => {
      window.focus();
      clicked();
      shown.close();
    });
  } catch {
    keep(NAME, "failed");
    dispatchEvent(new Event(FAILED));
  }
}

const titles: Readonly<Record<News["kind"], string>> = { asks: "asks you", failed: "failed", ended: "has ended" };

function textOf({ kind, agent }: News): string {
  if (kind === "asks") return questionsSentence(agent.questions);
  return agent.exit === null ? "" : endSentence(agent.exit, null).text;
}

export function useNews(store: TownStore, town_id: string): void {
  useEffect(
    () =>
      store.listenToNews((news) => {
        if (notices() !== "on" || document.visibilityState === "visible") return;
        const { agent } = news;
        // One of each agent at a time: the newest says what counts.
        notify(
          visibleText(`${agent.name} ${titles[news.kind]}`),
          { body: visibleText(textOf(news)), tag: agent.agent_id },
          () => go(agentPath(town_id, agent.agent_id)),
        );
      }),
    [store, town_id],
  );
}
