import { useState } from "preact/hooks";
import { useTitle } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Problem } from "./message.tsx";

/** For someone who came without the link: how to get it, and a field for the key itself. */
export function SignInPage({ problem, signIn }: { problem: string | null; signIn: (key: string) => Promise<void> }) {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  useTitle("Sign in");

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const typed = key.trim();
    if (typed === "") return;
    setBusy(true);
    await signIn(typed);
    setBusy(false);
  }

  return (
    <main class="sign-in">
      <div class="panel">
        <Icon name="lantern" class="message-icon" />
        <h1>Good to see you</h1>
        <p>
          Townwatch shows your coding agents at work. To come in, run this where Townwatch is installed and open the link
          it prints:
        </p>
        <pre class="command">npm run link</pre>
        <form onSubmit={(event) => void submit(event)}>
          <label for="key">Or enter the key</label>
          <div class="field-row">
            <input
              id="key"
              type="password"
              autocomplete="current-password"
              spellcheck={false}
              value={key}
              onInput={(event) => setKey(event.currentTarget.value)}
            />
            <button type="submit" class="button primary" disabled={busy || key.trim() === ""}>
              {busy ? "Signing in…" : "Sign in"}
            </button>
          </div>
          <Problem text={problem} />
        </form>
      </div>
    </main>
  );
}
