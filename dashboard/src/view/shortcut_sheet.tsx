// What the keyboard does: `?` opens it anywhere.

import { useEffect, useRef } from "preact/hooks";
import type { ShortcutGroup } from "./shortcuts.ts";
import { shortcutGroups } from "./shortcuts.ts";

export function ShortcutSheet({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      class="sheet"
      ref={dialog}
      aria-labelledby="sheet-title"
      onClose={close}
      onClick={(event) => {
        // The dialog itself is only hit beside its content.
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="sheet-content">
        <h2 id="sheet-title">Keyboard</h2>
        {shortcutGroups.map((group) => (
          <Keys key={group.title} group={group} />
        ))}
        <form method="dialog">
          <button type="submit" class="button small">Close</button>
        </form>
      </div>
    </dialog>
  );
}

function Keys({ group: { title, shortcuts } }: { group: ShortcutGroup }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {shortcuts.map(({ key, shown, what }) => (
          <div key={key}>
            <dt>
              <kbd>{shown ?? key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
