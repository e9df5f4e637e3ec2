import { Problem } from "./message.tsx";
import type { WholeQuestion } from "./whole_question.ts";

/** Says that a question is not all here yet, or why it can not be had. */
export function WholeMark({ whole: { question, problem, retry } }: { whole: WholeQuestion }) {
  if (question !== null) return null;
  if (problem === null) {
    return (
      <p class="soft" role="status">
        Fetching all of it…
      </p>
    );
  }
  return (
    <div>
      <Problem text={`Not all of this question could be fetched, so it can not be allowed from here yet: ${problem}`} />
      <button type="button" class="text-button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
