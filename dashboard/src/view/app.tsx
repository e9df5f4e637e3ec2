// Who am I, and which page: everything below this is only shown to someone who is signed in.

import { useEffect, useState } from "preact/hooks";
import type { Api, Proof } from "../client/api.ts";
import { ApiFailure, failureWords } from "../client/api.ts";
import { ApiProvider } from "./api_context.ts";
import { Header } from "./header.tsx";
import { HomePage } from "./home_page.tsx";
import { Message } from "./message.tsx";
import type { Route } from "./route.ts";
import { takeCode, useRoute } from "./route.ts";
import { SignInPage } from "./sign_in_page.tsx";
import { TownRoom } from "./town_room.tsx";

type Session =
  | { readonly kind: "asking" }
  | { readonly kind: "signed_in" }
  | { readonly kind: "signed_out"; readonly problem: string | null }
  | { readonly kind: "failed"; readonly message: string };

/** What a failure to sign in leads to: a form, which says why where a proof was refused, or that nobody answers. */
function without(failure: unknown, isProofRefused: boolean): Session {
  const refused = failure instanceof ApiFailure && failure.status >= 400 && failure.status < 500;
  if (!refused) return { kind: "failed", message: failureWords(failure) };
  return { kind: "signed_out", problem: isProofRefused ? failureWords(failure) : null };
}

export function App({ api, firstCode }: { api: Api; firstCode: string | null }) {
  const [session, setSession] = useState<Session>({ kind: "asking" });
  const route = useRoute();

  /** Signs in by a proof, or asks whether this browser is signed in. */
  async function ask(proof: Proof | null): Promise<void> {
    try {
      await (proof === null ? api.session() : api.signIn(proof));
      setSession({ kind: "signed_in" });
    } catch (failure) {
      setSession(without(failure, proof !== null));
    }
  }

  /** A link that was opened before is as good as none where this browser is signed in already. */
  async function follow(code: string): Promise<void> {
    try {
      await api.signIn({ code });
      setSession({ kind: "signed_in" });
    } catch (failure) {
      const isSignedIn = await api.session().then(() => true, () => false);
      setSession(isSignedIn ? { kind: "signed_in" } : without(failure, true));
    }
  }

  useEffect(() => {
    void (firstCode === null ? ask(null) : follow(firstCode));
    // The link may also be pasted into a tab that is already here: that only changes the fragment.
    const pasted = (): void => {
      const code = takeCode();
      if (code !== null) void follow(code);
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
      return <SignInPage problem={session.problem} signIn={(key) => ask({ key })} />;
    case "signed_in":
      break;
  }

  const signedOut = (): void => setSession({ kind: "signed_out", problem: null });
  return <ApiProvider value={api}>{pageOf(route, api, signedOut)}</ApiProvider>;
}

function pageOf(route: Route, api: Api, signedOut: () => void) {
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
