// What may be taken in a day, of an agent or of the town: what is left of it, and a small form that sets it.

import { useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import type { BudgetChange, DayBudget } from "../protocol/protocol.ts";
import { dayBudgetText } from "./format.ts";
import { Problem } from "./message.tsx";

interface DayBudgetControlProps {
  /** Whose: "this agent", "this town". */
  readonly whose: string;
  readonly budget: DayBudget | undefined;
  readonly save: (change: BudgetChange) => Promise<unknown>;
}

export function DayBudgetControl({ whose, budget, save }: DayBudgetControlProps) {
  const [isOpen, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(null);
    try {
      await save({ max_cost_usd: amountOf(form, "max_cost_usd") ?? null, max_tokens: amountOf(form, "max_tokens") ?? null });
      setOpen(false);
    } catch (failure) {
      setProblem(failureWords(failure));
    }
    setBusy(false);
  }

  return (
    <div class="day-budget">
      <button type="button" class="text-button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {budget === undefined ? "Set a budget of the day" : `Budget of the day: ${dayBudgetText(budget, Date.now())}`}
      </button>
      {isOpen && (
        <form class="card" aria-label={`Budget of ${whose}`} onSubmit={(event) => void submit(event)}>
          <p class="hint">
            What {whose} may take in a day (UTC). There is a warning at 80 %; at 100 % its runs are stopped. Empty: no bound. What is
            not told cannot be counted: Codex and Gemini CLI tell no cost, commands nothing at all.
          </p>
          <div class="fields">
            <Amount name="max_cost_usd" title="US dollars a day" value={budget?.max_cost_usd} />
            <Amount name="max_tokens" title="Tokens a day" value={budget?.max_tokens} />
          </div>
          <Problem text={problem} />
          <div class="actions">
            <button type="submit" class="button primary" disabled={busy}>
              Save
            </button>
            <button type="button" class="button" onClick={() => setOpen(false)}>
              Cancel
            </button>
          </div>
        </form>
      )}
    </div>
  );
}

/** A field for a number of dollars, tokens or seconds; empty: none. */
export function Amount({ name, title, value }: { name: "max_cost_usd" | "max_tokens" | "timeout_seconds"; title: string; value?: number | undefined }) {
  const isCost = name === "max_cost_usd";
  return (
    <label class="field">
      <span>{title}</span>
      <input name={name} type="number" inputMode={isCost ? "decimal" : "numeric"} min={isCost ? "0.000001" : "1"} step={isCost ? "any" : "1"} defaultValue={value === undefined ? "" : String(value)} />
    </label>
  );
}

/** What a field of an amount says, if it says something. */
export function amountOf(form: FormData, name: string): number | undefined {
  const text = String(form.get(name) ?? "").trim();
  return text === "" ? undefined : Number(text);
}
