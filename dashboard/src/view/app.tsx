// Who am I, and which page: everything below this is only shown to someone who is signed in.

import { useEffect, useState } from "preact/hooks";
import { ApiFailure, failureWords } from "../client/api.ts";
import type { Api } from "../client/api.ts";
import { Header } from "./header.tsx";
import { HomePage } from "./home_page.tsx";
import { Message } from "./message.tsx";
import { takeKey, useRoute } from "./route.ts";
import { SignInPage } from "./sign_in_page.tsx";
import { TownRoom } from "./town_room.tsx";

type Session =
  | { readonly kind: "asking" }
  | { readonly kind: "signed_in" }
  | { readonly kind: "signed_out"; readonly problem: string | null }
  | { readonly kind: "failed"; readonly message: string };

export function App({ api, firstKey }: { api: Api; firstKey: string | null }) {
  const [session, setSession] = useState<Session>({ kind: "asking" });
  const route = useRoute();

  async function ask(key: string | null): Promise<void> {
    try {
      await (key === null ? api.session() : api.signIn(key));
      setSession({ kind: "signed_in" });
    } catch (failure) {
      const refused = failure instanceof ApiFailure && failure.status >= 400 && failure.status < 500;
      if (!refused) return setSession({ kind: "failed", message: failureWords(failure) });
      setSession({ kind: "signed_out", problem: key === null ? null : failureWords(failure) });
    }
  }

  useEffect(() => {
    void ask(firstKey);
    // The link may also be pasted into a tab that is already here: that only changes the fragment.
    const pasted = (): void => {
      const key = takeKey();
      if (key !== null) void ask(key);
    };
    addEventListener("hashchange", pasted);
    return () => removeEventListener("hashchange", pasted);
  }, []);

  switch (session.kind) {
    case "asking":
      return <Header />;
    case "failed":
      return (
        <>
          <Header />
          <Message title="Townwatch can not answer" text={session.message}>
            <button type="button" class="button" onClick={() => void ask(null)}>
              Try again
            </button>
          </Message>
        </>
      );
    case "signed_out":
      return <SignInPage problem={session.problem} signIn={ask} />;
    case "signed_in":
      break;
  }

  const signedOut = (): void => setSession({ kind: "signed_out", problem: null });
  if (route.page === "home") return <HomePage api={api} signedOut={signedOut} />;
  if (route.page === "unknown") {
    return (
      <>
        <Header />
        <Message title="There is nothing here" text="The address names no town and no agent.">
          <a class="button" href="/">
            To the start
          </a>
        </Message>
      </>
    );
  }
  return <TownRoom key={route.town_id} api={api} route={route} signedOut={signedOut} />;
}
