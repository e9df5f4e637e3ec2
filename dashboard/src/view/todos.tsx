import { visibleText } from "../client/visible_text.ts";
import type { Todo } from "../protocol/protocol.ts";

/** A to-do list: how far it is, and its lines on demand. */
export function Todos({ todos }: { todos: readonly Todo[] }) {
  const done = todos.filter((todo) => todo.status === "completed").length;
  return (
    <details class="todos">
      <summary>
        {done} of {todos.length}
        <span class="hidden"> to-dos done</span>
      </summary>
      <ul>
        {todos.map((todo, index) => (
          <li key={index} class={todo.status}>
            <span class="hidden">{todo.status === "completed" ? "Done: " : todo.status === "in_progress" ? "Now: " : ""}</span>
            {visibleText(todo.content)}
          </li>
        ))}
      </ul>
    </details>
  );
}
