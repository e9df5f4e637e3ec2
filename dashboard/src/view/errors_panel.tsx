// All that went wrong or is missing, in one place.

import type { Row } from "../client/row.ts";
import { isProblem } from "../client/row.ts";
import { ActivityItem } from "./activity_row.tsx";
import { Earlier, useIsWhole } from "./earlier.tsx";
import { usePage } from "./page_context.ts";

export function ErrorsPanel({ rows }: { rows: readonly Row[] }) {
  const { event_id } = usePage();
  const isWhole = useIsWhole();
  const problems = rows.filter(isProblem);
  return (
    <div class="scroller" tabIndex={0} role="region" aria-label="Errors">
      <div class="rows">
        <Earlier />
        {problems.map((row) => (
          <ActivityItem key={row.key} item={{ kind: "row", key: row.key, row, inGroup: false }} inside={null} event_id={event_id} />
        ))}
        {isWhole && problems.length === 0 && <p class="nothing">Nothing has gone wrong.</p>}
      </div>
    </div>
  );
}
