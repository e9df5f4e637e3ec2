import type { ComponentChildren } from "preact";
import { Icon } from "./icons.tsx";

/** A page that has only one thing to say. */
export function Message({ title, text, children }: { title: string; text: string; children?: ComponentChildren }) {
  return (
    <main class="message">
      <Icon name="lantern" class="message-icon" />
      <h1>{title}</h1>
      <p>{text}</p>
      <div class="actions">{children}</div>
    </main>
  );
}

/** What went wrong with what the reader just did; nothing where nothing did. */
export function Problem({ text }: { text: string | null }) {
  return text === null ? null : (
    <p class="problem" role="alert">
      <Icon name="error" />
      <span>{text}</span>
    </p>
  );
}
