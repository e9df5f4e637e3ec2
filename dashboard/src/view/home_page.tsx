// The first page: into the only town, a choice among several, or a welcome where there is none yet.

import { useEffect, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { ApiFailure, failureWords } from "../client/api.ts";
import type { TownSummary } from "../protocol/protocol.ts";
import { dayWords } from "./format.ts";
import { Header } from "./header.tsx";
import { useTitle } from "./hooks.ts";
import { Link } from "./link.tsx";
import { Message } from "./message.tsx";
import { go, townPath } from "./route.ts";
import { DemoButton, Welcome } from "./welcome.tsx";

export function HomePage({ api, signedOut }: { api: Api; signedOut: () => void }) {
  const [towns, setTowns] = useState<TownSummary[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useTitle("");

  async function load(): Promise<void> {
    setProblem(null);
    try {
      const found = await api.towns();
      const [only, ...others] = found;
      if (only !== undefined && others.length === 0) return go(townPath(only.town_id), "replace");
      setTowns(found);
    } catch (failure) {
      if (failure instanceof ApiFailure && failure.status === 401) return signedOut();
      setProblem(failureWords(failure));
    }
  }

  useEffect(() => void load(), []);

  if (problem !== null) {
    return (
      <>
        <Header />
        <Message title="Your towns can not be read" text={problem}>
          <button type="button" class="button" onClick={() => void load()}>
            Try again
          </button>
        </Message>
      </>
    );
  }
  if (towns === null) return <Header />;
  return (
    <>
      <Header />
      {towns.length === 0 ? (
        <main class="page">
          <Welcome>
            <DemoButton api={api} town_id={null} isFirst />
          </Welcome>
        </main>
      ) : (
        <main class="page narrow">
          <h1>Choose a town</h1>
          <ul class="towns">
            {towns.map((town) => (
              <li key={town.town_id}>
                <Link to={townPath(town.town_id)} class="card town">
                  <strong>{town.name}</strong>
                  <span class="soft">since {dayWords(town.created_at)}</span>
                </Link>
              </li>
            ))}
          </ul>
        </main>
      )}
    </>
  );
}
