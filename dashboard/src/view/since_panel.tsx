// What happened since this browser last looked: a few numbers, each opening into links.

import { useEffect, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import type { Mention, Mentions } from "../client/digest.ts";
import type { LastLook } from "../client/last_look.ts";
import { costSince } from "../client/last_look.ts";
import { countWords } from "../client/sentences.ts";
import type { TownStore } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import { clockTime, dollars, momentWords, sinceText } from "./format.ts";
import { useChanges } from "./hooks.ts";
import type { IconName } from "./icons.tsx";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";
import { agentPath, eventPath } from "./route.ts";

interface SincePanelProps {
  readonly api: Api;
  readonly store: TownStore;
  readonly town_id: string;
  readonly look: LastLook;
}

/** Links shown at once. */
const SHOWN_MAX = 8;

export function SincePanel({ api, store, town_id, look }: SincePanelProps) {
  useChanges(store.agentsChanges);
  const [open, setOpen] = useState<"questions" | "failures" | "files" | "cost" | null>(null);
  const cost = useCost({ api, store, town_id, look });
  const { digest } = store;
  const questions = digest.questions(store.agents());
  const busy = store.agents().filter((agent) => (agent.last_event_id ?? 0) > look.id);
  if (!digest.isClosed || busy.length === 0 || digest.after_id === Number.MAX_SAFE_INTEGER) return null;
  const more = digest.isPartial ? "at least " : "";
  const kinds = [
    { name: "questions", mentions: { count: questions.length, latest: questions }, words: countWords(questions.length, "open question", "open questions"), icon: "question", tone: "warning" },
    { name: "failures", mentions: digest.failures, words: `${more}${countWords(digest.failures.count, "failure", "failures")}`, icon: "error", tone: "bad" },
    { name: "files", mentions: digest.files, words: `${more}${countWords(digest.files.count, "file changed", "files changed")}`, icon: "file", tone: "plain" },
  ] as const;
  const tab = (name: typeof open, words: string, icon: IconName, tone: string) => (
    <button key={name} type="button" class={`since-count ${tone}`} aria-expanded={open === name} onClick={() => setOpen(open === name ? null : name)}>
      <Icon name={icon} />
      {words}
    </button>
  );
  const shown = kinds.find(({ name }) => name === open)?.mentions;
  return (
    <section class="card since" aria-label="Since you last looked">
      <div class="since-head">
        <h2 title={momentWords(look.at)}>Since you last looked, {sinceText(look.at, Date.now())} ago</h2>
        {kinds.filter(({ mentions }) => mentions.count > 0).map(({ name, words, icon, tone }) => tab(name, words, icon, tone))}
        {digest.lacksPast && <span class="soft">counting…</span>}
        {!digest.lacksPast && digest.isEmpty && questions.length === 0 && <span class="soft">no failure, no question, no changed file</span>}
        {cost !== null && tab("cost", `${dollars(cost.cost_usd)}${cost.isPartial ? " and more without a price" : ""}`, "order", "plain")}
        <button type="button" class="button small" onClick={() => store.dismissDigest()}>
          Seen
        </button>
      </div>
      {shown !== undefined && <Links store={store} town_id={town_id} mentions={shown} tab={open === "files" ? "files" : null} />}
      {open === "cost" && (
        <ul class="since-links">
          {busy.map((agent) => (
            <li key={agent.agent_id}>
              <Link to={agentPath(town_id, agent.agent_id)}>{visibleText(agent.name)}</Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Links({ store, town_id, mentions, tab }: { store: TownStore; town_id: string; mentions: Pick<Mentions, "count" | "latest">; tab: "files" | null }) {
  const more = mentions.count - Math.min(SHOWN_MAX, mentions.latest.length);
  const path = ({ agent_id, event_id }: Mention): string => `${eventPath(town_id, agent_id, event_id)}${tab === null ? "" : `&tab=${tab}`}`;
  return (
    <ul class="since-links">
      {mentions.latest.slice(0, SHOWN_MAX).map((mention) => (
        <li key={mention.event_id}>
          <time dateTime={mention.at} class="soft">
            {clockTime(mention.at)}
          </time>
          <Link to={path(mention)}>{visibleText(mention.text)}</Link>
          <span class="soft">{visibleText(store.agent(mention.agent_id)?.name ?? mention.agent_id)}</span>
        </li>
      ))}
      {more > 0 && <li class="soft">and {countWords(more, "other", "others")}</li>}
    </ul>
  );
}

/** Null until it is known, and where no run has a price. */
function useCost({ api, store, town_id, look }: SincePanelProps): { cost_usd: number; isPartial: boolean } | null {
  const [cost, setCost] = useState<{ cost_usd: number; isPartial: boolean } | null>(null);
  const { isClosed } = store.digest;
  useEffect(() => {
    let isOver = false;
    const busy = store.agents().filter((agent) => (agent.last_event_id ?? 0) > look.id);
    if (isClosed && busy.length > 0) {
      Promise.all(busy.map(({ agent_id }) => api.runs(town_id, agent_id))).then(
        (runs) => {
          const found = costSince(look, runs.flat());
          if (!isOver) setCost(found.cost_usd > 0 ? found : null);
        },
        // Without it the panel says less, and nothing wrong.
        () => {},
      );
    }
    return () => {
      isOver = true;
    };
  }, [isClosed, look]);
  return cost;
}
