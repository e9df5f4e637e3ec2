// What becomes of a row as the work ends that its call left running in the background.

import type { Row, Task, TaskEnd } from "./row.ts";

export function withoutTask(tasks: readonly Task[], task_id: string): Task[] {
  return tasks.filter((task) => task.task_id !== task_id);
}

/** A task has ended: `unknown` stands for one of which no beginning is here. */
export function withTaskEnd(row: Row, task_id: string, end: TaskEnd, unknown: Task): Row {
  if (row.kind === "task") return { ...row, task: { ...row.task, end } };
  if (row.kind !== "call") return row;
  const task = row.tasks.find((one) => one.task_id === task_id) ?? unknown;
  return { ...row, tasks: [...withoutTask(row.tasks, task_id), { ...task, end }] };
}

/** The run has ended before what it left running. */
export function withTasksAbandoned(row: Row): Row {
  const ended = (task: Task): Task =>
    task.end === null ? { ...task, end: { outcome: "abandoned", summary: undefined, exit_code: undefined } } : task;
  if (row.kind === "task") return { ...row, task: ended(row.task) };
  return row.kind === "call" ? { ...row, tasks: row.tasks.map(ended) } : row;
}
