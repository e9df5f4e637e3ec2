// Generated from crates/protocol/ by `npm run types`; do not edit.

/**
 * The activity of an agent.
 */
export type Activity = { 
/**
 * The kind.
 */
kind: ActivityKind, 
/**
 * In plain words: "Reading src/config.ts".
 */
detail?: string, 
/**
 * The time at which that began.
 */
since: string, };

/**
 * Kinds of activity.
 */
export type ActivityKind = "thinking" | "tool" | "question" | "background" | "waiting" | "silent" | "lost" | "ended";

/**
 * Data of `agent_error`.
 */
export type AgentError = { 
/**
 * A short word for programs.
 */
code: string, 
/**
 * The text for a person.
 */
message: string, 
/**
 * Whether the agent tries again by itself.
 */
retryable?: boolean, 
/**
 * The end of it, where that is known: the end of a rate limit, for example.
 */
until?: string, };

/**
 * Data of `agent.exited`.
 */
export type AgentExited = { 
/**
 * The reason.
 */
reason: ExitReason, 
/**
 * The exit code of the process.
 */
exit_code?: number, 
/**
 * The signal that ended it, by its name.
 */
signal?: string, 
/**
 * The text for a person.
 */
message?: string, };

/**
 * Data of `agent_notice`: an action or warning of the agent's program that a person should know. It is not an
 * error.
 */
export type AgentNotice = { 
/**
 * The subject, as a kind.
 */
kind: AgentNoticeKind, 
/**
 * The level of the notice.
 */
level: NoticeLevel, 
/**
 * The text for a person.
 */
message: string, 
/**
 * The end of it, where that is known.
 */
until?: string, 
/**
 * Tokens of the conversation before it was compacted.
 */
tokens_before?: number, 
/**
 * And after.
 */
tokens_after?: number, 
/**
 * The call that it is about.
 */
tool_use_id?: string, 
/**
 * The call whose sub-agent it is about.
 */
parent_tool_use_id?: string, };

/**
 * The subject of a notice of an agent's program.
 */
export type AgentNoticeKind = "compaction_started" | "compaction_ended" | "tool_server" | "rate_limit" | "hook_blocked" | "model_changed" | "budget" | "other";

/**
 * Data of `agent_output`.
 */
export type AgentOutput = { 
/**
 * The text.
 */
text: string, 
/**
 * The source of the text.
 */
stream: OutputStream, 
/**
 * The message that it is a part of.
 */
message_id?: string, 
/**
 * The call whose sub-agent wrote it.
 */
parent_tool_use_id?: string, 
/**
 * Whether the line is unfinished: the next output of the same stream continues it. A progress bar is an
 * example.
 */
partial?: boolean, 
/**
 * Whether the author ended in the middle of the text. No more of it will come.
 */
broken_off?: boolean, };

/**
 * Data of `agent_question`.
 */
export type AgentQuestion = { 
/**
 * The id of the question, which its answer names.
 */
request_id: string, 
/**
 * The subject, as a kind.
 */
kind: QuestionKind, 
/**
 * The question, for a person.
 */
detail: string, 
/**
 * The answers that are possible: of a permission `once`, `always`, `reject`; else the labels of all options.
 */
options: Array<string>, 
/**
 * The parts of the question; each needs an entry in the answer. Empty for a permission.
 */
parts?: Array<QuestionPart>, 
/**
 * The whole subject of a permission: the command, plan or difference.
 */
subject?: QuestionSubject, 
/**
 * The rule that `always` would add, in words; absent where `always` is not offered or the agent does not say.
 */
always?: string, 
/**
 * The call that waits for the answer.
 */
tool_use_id?: string, 
/**
 * The call whose sub-agent asks.
 */
parent_tool_use_id?: string, };

/**
 * Data of `agent_question_answered`.
 */
export type AgentQuestionAnswered = { 
/**
 * The question.
 */
request_id: string, 
/**
 * The decision.
 */
answer: Answer, 
/**
 * The one who answered: `operator`, or the program itself.
 */
by: string, 
/**
 * Words with the answer: the reason of a refusal, for example.
 */
text?: string, 
/**
 * An entry for each part of the question.
 */
answers?: Array<PartAnswer>, };

/**
 * `POST /api/rigs/:rig/agents`: an agent that runs elsewhere and posts its events.
 */
export type AgentRequest = { 
/**
 * The agent's id, unique in the town; the town makes one where absent.
 */
agent_id?: string, 
/**
 * The name for people.
 */
name: string, 
/**
 * Its part in the town.
 */
role: Role, };

/**
 * Data of `agent_session`.
 */
export type AgentSession = { 
/**
 * The agent's own name of the session; absent where its program has none.
 */
session_id?: string, 
/**
 * The model that it uses.
 */
model?: string, 
/**
 * The working directory.
 */
working_dir?: string, 
/**
 * The branch checked out there.
 */
branch?: string, 
/**
 * The commit it began at.
 */
initial_commit?: string, 
/**
 * The repository's address.
 */
git_origin?: string, 
/**
 * The machine.
 */
hostname?: string, 
/**
 * The operating system.
 */
os?: string, 
/**
 * Whether it runs in a container.
 */
in_container?: boolean, 
/**
 * The tools that it has.
 */
tools?: Array<string>, 
/**
 * The agent's mode of asking for permission.
 */
permission_mode?: string, 
/**
 * The agent program's version.
 */
agent_version?: string, 
/**
 * Whether the agent takes messages while its run is open.
 */
takes_messages?: boolean, };

/**
 * The state of an agent, which one reducer makes from its events.
 */
export type AgentState = { 
/**
 * The agent.
 */
agent_id: string, 
/**
 * The agent's rig.
 */
rig_id: string, 
/**
 * The name for people.
 */
name: string, 
/**
 * Its part in the town.
 */
role: Role, 
/**
 * The program that runs; null for an agent that runs elsewhere.
 */
runtime: Runtime | null, 
/**
 * The status.
 */
status: Status, 
/**
 * Its current or last run.
 */
run_id: string | null, 
/**
 * The number of the run, from 1; 0 before the first.
 */
run_number: number, 
/**
 * The first line of what it was asked to do.
 */
title: string | null, 
/**
 * The `user_message` that has all of it.
 */
prompt_event_id: number | null, 
/**
 * Whether it takes messages now.
 */
takes_messages: boolean, 
/**
 * The agent's own name of its session.
 */
session_id: string | null, 
/**
 * The model.
 */
model: string | null, 
/**
 * The working directory.
 */
working_dir: string | null, 
/**
 * The branch there.
 */
branch: string | null, 
/**
 * The commit that it began at.
 */
initial_commit: string | null, 
/**
 * The repository.
 */
git_origin: string | null, 
/**
 * The machine.
 */
hostname: string | null, 
/**
 * The operating system.
 */
os: string | null, 
/**
 * Whether that is a container.
 */
in_container: boolean | null, 
/**
 * Messages of the run: distinct `message_id`s of what the agent said.
 */
message_count: number, 
/**
 * Calls of the run.
 */
tool_call_count: number, 
/**
 * Model calls under way, as far as the events tell.
 */
outstanding_llm_calls: number, 
/**
 * Calls without a result, at most 64.
 */
outstanding_tool_calls: Array<OutstandingCall>, 
/**
 * The open questions of the agent and its sub-agents, the oldest first.
 */
questions: Array<OpenQuestion>, 
/**
 * Work that it left running in the background, at most 32.
 */
background_tasks: Array<BackgroundTask>, 
/**
 * The run's newest sub-agents, at most 16.
 */
sub_agents: Array<SubAgent>, 
/**
 * A call that fails again and again, from the third time on.
 */
failing_loop: FailingLoop | null, 
/**
 * Tokens and cost of the run.
 */
usage: UsageTotals, 
/**
 * The budget of the run, where its start has set one.
 */
run_budget?: Budget, 
/**
 * The budget of a day for the agent, where it is set.
 */
day_budget?: DayBudget, 
/**
 * The time at which it was archived, if it is.
 */
archived_at?: string, 
/**
 * Distinct files changed in the run.
 */
files_changed: number, 
/**
 * Lines added in the run.
 */
lines_added: number, 
/**
 * Lines removed in the run.
 */
lines_removed: number, 
/**
 * Its to-do list, at most 100.
 */
todos: Array<Todo>, 
/**
 * The progress of the run.
 */
progress: ProgressUpdate | null, 
/**
 * The agent's activity; null before its first run.
 */
activity: Activity | null, 
/**
 * The run's first event.
 */
first_event_id: number | null, 
/**
 * Its newest event.
 */
last_event_id: number | null, 
/**
 * The time of that event.
 */
last_event_at: string | null, 
/**
 * The time of the run's start.
 */
started_at: string | null, 
/**
 * Time at work, up to `working_since`.
 */
worked_ms: number, 
/**
 * The time since which the agent is at work without a pause; null while it waits for a person and after its
 * end.
 */
working_since: string | null, 
/**
 * Time in which the agent waited for a person, up to the end of the last wait.
 */
waited_ms: number, 
/**
 * The time of its end.
 */
ended_at: string | null, 
/**
 * The end of the run.
 */
exit: AgentExited | null, };

/**
 * Data of `agent.status`.
 */
export type AgentStatusChanged = { 
/**
 * The status now.
 */
status: Status, };

/**
 * Data of `agent_task_ended`.
 */
export type AgentTaskEnded = { 
/**
 * The work.
 */
task_id: string, 
/**
 * The end of the run.
 */
outcome: TaskOutcome, 
/**
 * In the program's words.
 */
summary?: string, 
/**
 * The exit code of the command, where it is known.
 */
exit_code?: number, 
/**
 * The call that began it.
 */
tool_use_id?: string, };

/**
 * Data of `agent_task_started`: the agent left work running in the background.
 */
export type AgentTaskStarted = { 
/**
 * The id of the work.
 */
task_id: string, 
/**
 * The kind of worker.
 */
kind: TaskKind, 
/**
 * The description of the work.
 */
description: string, 
/**
 * The call that began it.
 */
tool_use_id?: string, 
/**
 * The call whose sub-agent began it.
 */
parent_tool_use_id?: string, };

/**
 * A token of an agent.
 */
export type AgentToken = { 
/**
 * The id of it.
 */
token_id: string, 
/**
 * The time of its creation.
 */
created_at: string, 
/**
 * The end of the token's life.
 */
expires_at: string, 
/**
 * The time of the last use, to the minute; null before the first use.
 */
last_used_at: string | null, 
/**
 * The time at which it was revoked.
 */
revoked_at: string | null, };

/**
 * `GET …/tokens`: a list of an agent's tokens, without the tokens themselves.
 */
export type AgentTokens = { 
/**
 * The tokens with an id that have not expired, the newest first.
 */
tokens: Array<AgentToken>, 
/**
 * The tokens without an id, together. Every holder of the signing secret can make one.
 */
without_id: TokensWithoutId, };

/**
 * Data of `agent_tool_call`.
 */
export type AgentToolCall = { 
/**
 * The id of the call, which its result repeats.
 */
tool_use_id: string, 
/**
 * The agent's own name of the tool.
 */
tool: string, 
/**
 * The purpose of the tool.
 */
category: ToolCategory, 
/**
 * The input as the agent wrote it, raw.
 */
input: unknown, 
/**
 * The file that it is about, relative to the working directory where it lies in it.
 */
path?: string, 
/**
 * One plain line: "Reading src/config.ts".
 */
summary: string, 
/**
 * The call whose sub-agent makes this call.
 */
parent_tool_use_id?: string, };

/**
 * Data of `agent_tool_result`.
 */
export type AgentToolResult = { 
/**
 * The call that it answers.
 */
tool_use_id: string, 
/**
 * Whether the tool did what it was asked.
 */
success: boolean, 
/**
 * The text of the result: the texts of all its parts.
 */
content: string, 
/**
 * The content's length in bytes, before anything was cut.
 */
content_length: number, 
/**
 * The time from the call to the result; 0 if the call was not seen.
 */
duration_ms: number, 
/**
 * The exit code of a command, where the agent reports it.
 */
exit_code?: number, 
/**
 * The parts of the result that are not text: pictures, documents, links.
 */
attachments?: Array<Attachment>, };

/**
 * Data of `agent_usage`. Of several with one `message_id` only the last counts. A cumulative one replaces the
 * run's total; it is not added.
 */
export type AgentUsage = { 
/**
 * The message that it is for.
 */
message_id: string, 
/**
 * Tokens read.
 */
input_tokens: number, 
/**
 * Tokens written.
 */
output_tokens: number, 
/**
 * Tokens read from the model's cache.
 */
cache_read_input_tokens?: number, 
/**
 * Tokens written to the model's cache.
 */
cache_creation_input_tokens?: number, 
/**
 * The price in US dollars, where the agent knows it.
 */
cost_usd?: number, 
/**
 * Whether these are the run's totals so far.
 */
cumulative?: boolean, 
/**
 * The call whose sub-agent used them.
 */
parent_tool_use_id?: string, };

/**
 * A person's answer.
 */
export type Answer = "once" | "always" | "reject";

/**
 * `POST /api/towns/:town/agents/:agent/answer`.
 */
export type AnswerAgent = { 
/**
 * The question, by the `request_id` of its `agent_question`.
 */
request_id: string, 
/**
 * The answer.
 */
answer: Answer, 
/**
 * Words for the agent: the reason of a refusal or, for a question of one part, the answer itself.
 */
text?: string, 
/**
 * The answer to a question for input: an entry for each of its parts, in their order.
 */
answers?: Array<PartAnswer>, };

/**
 * One thing of a result that is no text.
 */
export type Attachment = { 
/**
 * The kind.
 */
kind: AttachmentKind, 
/**
 * The media type: `image/png` for example.
 */
media_type?: string, 
/**
 * The name of it, for a person.
 */
name?: string, 
/**
 * The address of it, in the agent's words.
 */
uri?: string, 
/**
 * The size of it, decoded, in bytes.
 */
size_bytes?: number, 
/**
 * The id of a picture that the town keeps: `GET …/agents/:agent/images/:image_id`. Absent where it is not
 * kept.
 */
image_id?: string, 
/**
 * The reason why it is not kept, for a person.
 */
problem?: string, };

/**
 * The kinds of attachments of a result.
 */
export type AttachmentKind = "image" | "audio" | "document" | "link";

/**
 * Work that the agent left running in the background.
 */
export type BackgroundTask = { 
/**
 * The id of the work.
 */
task_id: string, 
/**
 * The kind of worker.
 */
kind: TaskKind, 
/**
 * The description of the work.
 */
description: string, 
/**
 * The call that began it.
 */
tool_use_id?: string, 
/**
 * The time at which that began.
 */
since: string, };

/**
 * A browser that is signed in.
 */
export type BrowserSession = { 
/**
 * The id of it.
 */
session_id: string, 
/**
 * The browser's own name of itself, shortened.
 */
browser: string, 
/**
 * The time of the sign-in.
 */
created_at: string, 
/**
 * The time of the last request, to the minute.
 */
last_seen_at: string, 
/**
 * The end of the session if it is not used again.
 */
ends_at: string, };

/**
 * A budget. An absent field has no bound.
 */
export type Budget = { 
/**
 * US dollars.
 */
max_cost_usd?: number, 
/**
 * Tokens: read, written and of the cache, together.
 */
max_tokens?: number, };

/**
 * `PATCH /api/towns/:town/agents/:agent`: what the agent may take in a day (UTC).
 */
export type BudgetChange = { 
/**
 * US dollars; null: no bound; absent: as before.
 */
max_cost_usd?: number | null, 
/**
 * Tokens; null: no bound; absent: as before.
 */
max_tokens?: number | null, };

/**
 * A frame of a viewer on a WebSocket: one JSON object in each message.
 */
export type ClientFrame = { "type": "subscribe", 
/**
 * The agents.
 */
agents: "*" | Array<string>, 
/**
 * The id after which history begins; absent: live events only.
 */
after_id?: number, 
/**
 * The kinds of events to leave out.
 */
filters?: Filters, } | { "type": "ack", 
/**
 * The id.
 */
id: number, } | { "type": "ping" };

/**
 * The status of a town's container.
 */
export type ContainerStatus = "running" | "asleep" | "unreachable";

/**
 * A town's container.
 */
export type ContainerView = { 
/**
 * `running`, `asleep` or `unreachable`.
 */
status: ContainerStatus, 
/**
 * The programs that it can run; empty where it was not asked.
 */
runtimes: Array<RuntimeView>, 
/**
 * Whether no run there can reach another one or the control server; absent where that is not known.
 */
agents_apart?: boolean, 
/**
 * The sandbox between agents and the machine; absent where it is not known.
 */
sandbox?: SandboxKind, };

/**
 * A part of an event's data that was left out of its frame form.
 */
export type Cut = { 
/**
 * JSON Pointer into `data`.
 */
path: string, 
/**
 * The number of bytes that were left out.
 */
bytes: number, };

/**
 * The budget of a day, and the spending of that day.
 */
export type DayBudget = { 
/**
 * The day, in UTC, in which the rest was spent: `2026-11-29`. On another one nothing has been spent yet.
 */
day: string, 
/**
 * US dollars, as far as the agents have told.
 */
cost_usd: number, 
/**
 * Tokens.
 */
tokens: number, 
/**
 * US dollars.
 */
max_cost_usd?: number, 
/**
 * Tokens: read, written and of the cache, together.
 */
max_tokens?: number, };

/**
 * A page of the town's log.
 */
export type EventsPage = { 
/**
 * The life of the log.
 */
epoch: string, 
/**
 * Ascending by id.
 */
events: Array<TownEvent>, 
/**
 * The `after_id` of the next page.
 */
next_after_id: number, 
/**
 * The newest event's id.
 */
head: number, 
/**
 * The oldest retained event's id.
 */
oldest_id: number, 
/**
 * The requested events that are gone.
 */
gaps: Array<Gap>, 
/**
 * Whether the cursor is unknown here, so that the page begins at the start.
 */
reset?: boolean, };

/**
 * The reason of a run's end.
 */
export type ExitReason = "completed" | "failed" | "stopped" | "timeout" | "budget_exceeded" | "lost";

/**
 * The same call, failing again and again.
 */
export type FailingLoop = { 
/**
 * The call, in plain words.
 */
summary: string, 
/**
 * The failures in a row, without a success.
 */
count: number, };

/**
 * The change of a file.
 */
export type FileAction = "created" | "modified" | "deleted" | "renamed";

/**
 * Data of `file_changed`.
 */
export type FileChanged = { 
/**
 * Relative to the working directory.
 */
path: string, 
/**
 * The change of the file.
 */
action: FileAction, 
/**
 * The path before a rename.
 */
from?: string, 
/**
 * The size of the file now.
 */
size_bytes?: number, 
/**
 * Lines that are new.
 */
lines_added?: number, 
/**
 * Lines that are gone.
 */
lines_removed?: number, 
/**
 * The call that changed it.
 */
tool_use_id?: string, };

/**
 * The kinds of events that a viewer wants. Lifecycle, questions and errors are always sent.
 */
export type Filters = { 
/**
 * `agent_tool_call`.
 */
tool_calls: boolean, 
/**
 * `agent_tool_result`.
 */
tool_results: boolean, 
/**
 * `agent_output`.
 */
output: boolean, 
/**
 * `file_changed`.
 */
files: boolean, 
/**
 * `progress_update`.
 */
progress: boolean, };

/**
 * Events of an agent that a reader requested and does not get.
 */
export type Gap = { 
/**
 * The agent's id.
 */
agent_id: string, 
/**
 * The first missing id.
 */
from: number, 
/**
 * The last missing id.
 */
to: number, 
/**
 * The number of them, where it is known.
 */
count?: number, 
/**
 * The reason.
 */
reason: GapReason, };

/**
 * Why events are missing.
 */
export type GapReason = "pruned" | "elided";

/**
 * `POST …/heartbeat`.
 */
export type Heard = { 
/**
 * Always true: the town has noted the sign of life.
 */
heard: boolean, };

/**
 * For the TypeScript types only: the same list as a union with the tag `event`.
 */
export type KnownEvent = { "event": "agent.status", "data": AgentStatusChanged } | { "event": "agent.exited", "data": AgentExited } | { "event": "agent_session", "data": AgentSession } | { "event": "agent_output", "data": AgentOutput } | { "event": "user_message", "data": UserMessage } | { "event": "agent_tool_call", "data": AgentToolCall } | { "event": "agent_tool_result", "data": AgentToolResult } | { "event": "agent_question", "data": AgentQuestion } | { "event": "agent_question_answered", "data": AgentQuestionAnswered } | { "event": "agent_usage", "data": AgentUsage } | { "event": "agent_error", "data": AgentError } | { "event": "agent_notice", "data": AgentNotice } | { "event": "agent_task_started", "data": AgentTaskStarted } | { "event": "agent_task_ended", "data": AgentTaskEnded } | { "event": "file_changed", "data": FileChanged } | { "event": "progress_update", "data": ProgressUpdate } | { "event": "run_started", "data": RunStarted } | { "event": "run_iteration", "data": RunIteration } | { "event": "run_completed", "data": RunCompleted } | { "event": "run_failed", "data": RunFailed } | { "event": "work_order_created", "data": WorkOrderCreated } | { "event": "work_order_updated", "data": WorkOrderUpdated } | { "event": "parser_notice", "data": ParserNotice } | { "event": "source_gap", "data": SourceGap };

/**
 * `POST …/container/agents/:agent/message`.
 */
export type MessageAgent = { 
/**
 * The message for the agent.
 */
prompt: string, };

/**
 * The kind of a message to an agent.
 */
export type MessageSource = "prompt" | "message" | "command";

/**
 * The reason for which a line could not be read, or shown, unchanged.
 */
export type NoticeKind = "malformed" | "unknown" | "oversized" | "redacted";

/**
 * The importance of a notice.
 */
export type NoticeLevel = "info" | "warning";

/**
 * A question that waits for a person.
 */
export type OpenQuestion = { 
/**
 * The event that asked it, which has the whole.
 */
event_id: number, 
/**
 * The time at which that began.
 */
since: string, 
/**
 * Whether a part of the question is cut here.
 */
cut: boolean, 
/**
 * The id of the question, which its answer names.
 */
request_id: string, 
/**
 * The subject, as a kind.
 */
kind: QuestionKind, 
/**
 * The question, for a person.
 */
detail: string, 
/**
 * The answers that are possible: of a permission `once`, `always`, `reject`; else the labels of all options.
 */
options: Array<string>, 
/**
 * The parts of the question; each needs an entry in the answer. Empty for a permission.
 */
parts?: Array<QuestionPart>, 
/**
 * The whole subject of a permission: the command, plan or difference.
 */
subject?: QuestionSubject, 
/**
 * The rule that `always` would add, in words; absent where `always` is not offered or the agent does not say.
 */
always?: string, 
/**
 * The call that waits for the answer.
 */
tool_use_id?: string, 
/**
 * The call whose sub-agent asks.
 */
parent_tool_use_id?: string, };

/**
 * The source of a text.
 */
export type OutputStream = "assistant" | "thinking" | "stdout" | "stderr";

/**
 * A tool call that has no result yet.
 */
export type OutstandingCall = { 
/**
 * The call.
 */
tool_use_id: string, 
/**
 * The agent's own name of the tool.
 */
tool: string, 
/**
 * The file that it is about.
 */
path?: string, 
/**
 * The call in plain words: `Reading src/config.ts`.
 */
summary: string, 
/**
 * The call whose sub-agent makes it.
 */
parent_tool_use_id?: string, 
/**
 * The time of the call.
 */
since: string, };

/**
 * Data of `parser_notice`.
 */
export type ParserNotice = { 
/**
 * The kind of problem.
 */
kind: NoticeKind, 
/**
 * The number of lines in a row that this notice stands for.
 */
count: number, 
/**
 * The beginning of the first of them.
 */
sample: string, };

/**
 * The answer to one part of a question.
 */
export type PartAnswer = { 
/**
 * The labels that were chosen.
 */
choices?: Array<string>, 
/**
 * Other words.
 */
text?: string, };

/**
 * One event of a posted batch.
 */
export type PostEvent = { 
/**
 * The name of the event.
 */
event_type: string, 
/**
 * Any JSON value; null where absent.
 */
data?: unknown, 
/**
 * The time of the event; now where absent.
 */
at?: string, 
/**
 * The poster's id of the event, by which a repeat is recognised.
 */
event_id?: string, 
/**
 * The run; the agent's open one where absent.
 */
run_id?: string, };

/**
 * `POST /api/rigs/:rig/agent-events`: one event, or a batch in `events`.
 */
export type PostEvents = { 
/**
 * The agent of the events.
 */
agent_id: string, 
/**
 * The batch; then the fields of a single event are not allowed beside it.
 */
events?: Array<PostEvent>, 
/**
 * The single event's name.
 */
event_type?: string, 
/**
 * Any JSON value; null where absent.
 */
data?: unknown, 
/**
 * The time of the event; now where absent.
 */
at?: string, 
/**
 * The poster's id of the event, by which a repeat is recognised.
 */
event_id?: string, 
/**
 * The run; the agent's open one where absent.
 */
run_id?: string, };

/**
 * `POST …/agent-events`.
 */
export type PostReceipt = { 
/**
 * Events that are new and stored.
 */
appended: number, 
/**
 * Events that were there already.
 */
duplicates: number, 
/**
 * The newest event's id in the rig's log.
 */
last_id: number, };

/**
 * The pressure on a viewer that lags.
 */
export type PressureLevel = "normal" | "paused";

/**
 * A part of a message that an agent is still typing. A preview has no id and is never stored: the event of the message
 * has the whole text.
 */
export type Preview = { 
/**
 * The agent's id.
 */
agent_id: string, 
/**
 * The run's id.
 */
run_id: string, 
/**
 * The `message_id` of the `agent_output` that will follow.
 */
message_id: string, 
/**
 * The place of the text in the message, in UTF-16 units. A reader that misses a part waits for one with offset 0.
 */
offset: number, 
/**
 * The part.
 */
text: string, };

/**
 * Data of `progress_update`.
 */
export type ProgressUpdate = { 
/**
 * The percentage, 0 to 100; null when unknown. It never falls, and is 100 only at a successful end.
 */
percentage: number | null, 
/**
 * The current phase of the run, in a few words.
 */
current_phase: string, 
/**
 * Calls so far.
 */
tool_call_count: number, 
/**
 * The time at work since the start of the run, without the time between turns.
 */
elapsed_seconds: number, 
/**
 * The estimate of the time to the end, from the to-dos or turns that are done; absent below 10 %.
 */
estimated_remaining_seconds?: number, 
/**
 * The author's to-do list.
 */
todos?: Array<Todo>, 
/**
 * The call whose sub-agent this is of; absent for the agent itself.
 */
parent_tool_use_id?: string, };

/**
 * The subject of a question.
 */
export type QuestionKind = "permission" | "input";

/**
 * One answer that a question offers.
 */
export type QuestionOption = { 
/**
 * The answer.
 */
label: string, 
/**
 * The meaning of the answer.
 */
description?: string, 
/**
 * The agent's sketch of the result.
 */
preview?: string, };

/**
 * One of the things that a question asks.
 */
export type QuestionPart = { 
/**
 * A word or two that name it.
 */
header?: string, 
/**
 * The question itself.
 */
text: string, 
/**
 * The answers on offer.
 */
options: Array<QuestionOption>, 
/**
 * Whether several of them can be.
 */
multiple: boolean, 
/**
 * Whether it can be answered in other words.
 */
free_text: boolean, };

/**
 * The subject of a permission.
 */
export type QuestionSubject = { 
/**
 * The way to show it.
 */
kind: SubjectKind, 
/**
 * The whole of it.
 */
text: string, };

/**
 * `POST /api/towns/:town/rigs`.
 */
export type RigRequest = { 
/**
 * The name for people.
 */
name: string, 
/**
 * The repository's address.
 */
git_url?: string, 
/**
 * The branch that work starts from.
 */
default_branch?: string, };

/**
 * A repository in a town.
 */
export type RigView = { 
/**
 * The rig.
 */
rig_id: string, 
/**
 * The agent's town.
 */
town_id: string, 
/**
 * The name for people.
 */
name: string, 
/**
 * The repository's address.
 */
git_url?: string, 
/**
 * The branch that work starts from.
 */
default_branch?: string, 
/**
 * The time of its creation.
 */
created_at: string, 
/**
 * The time at which it was archived, if it is.
 */
archived_at?: string, };

/**
 * The part that an agent plays in its town.
 */
export type Role = "mayor" | "polecat" | "refinery" | "witness";

/**
 * Data of `run_completed`.
 */
export type RunCompleted = { 
/**
 * The run.
 */
run_number: number, 
/**
 * The work order.
 */
work_order_id?: string, };

/**
 * Data of `run_failed`.
 */
export type RunFailed = { 
/**
 * The run.
 */
run_number: number, 
/**
 * The work order.
 */
work_order_id?: string, 
/**
 * The reason, for a person.
 */
error: string, };

/**
 * Data of `run_iteration`.
 */
export type RunIteration = { 
/**
 * The run.
 */
run_number: number, 
/**
 * The work order.
 */
work_order_id?: string, 
/**
 * The number of the iteration, from 1.
 */
iteration_number: number, 
/**
 * The most iterations.
 */
total_iterations: number, 
/**
 * Whether the check passed; null where there is none.
 */
verification_passed: boolean | null, 
/**
 * The output of the check.
 */
verification_output?: string, };

/**
 * Data of `run_started`.
 */
export type RunStarted = { 
/**
 * The number of the run among the agent's, from 1.
 */
run_number: number, 
/**
 * The work order that it fulfils.
 */
work_order_id?: string, };

/**
 * A run in lists.
 */
export type RunView = { 
/**
 * The run.
 */
run_id: string, 
/**
 * The agent's id.
 */
agent_id: string, 
/**
 * The number of the run among the agent's, from 1.
 */
run_number: number, 
/**
 * Its first event, 0 where it has none yet.
 */
first_event_id: number, 
/**
 * Its newest event.
 */
last_event_id: number, 
/**
 * The time of the start request.
 */
started_at: string, 
/**
 * The time of its end.
 */
ended_at?: string, 
/**
 * The end of the run.
 */
exit?: AgentExited, 
/**
 * Calls of its agent.
 */
tool_call_count: number, 
/**
 * Tokens and cost.
 */
usage: UsageTotals, };

/**
 * The programs that the control server can run.
 */
export type Runtime = "claude_code" | "codex" | "gemini" | "opencode" | "kilo" | "process" | "replay";

/**
 * One program that the control server can run, or could.
 */
export type RuntimeView = { 
/**
 * The program.
 */
name: Runtime, 
/**
 * Whether it is installed.
 */
found: boolean, 
/**
 * Its version, where it says one.
 */
version?: string, 
/**
 * The command that installs it.
 */
install: string, 
/**
 * The names of the recordings that `replay` can play.
 */
recordings?: Array<string>, };

/**
 * The sandbox between agents and their machine. Without one, agents ask before they do things.
 */
export type SandboxKind = "none" | "image" | "bubblewrap";

/**
 * A frame of the server on a stream: one JSON object in each message.
 */
export type ServerFrame = { "type": "hello", 
/**
 * The version of this contract.
 */
protocol: number, 
/**
 * The town.
 */
town_id: string, 
/**
 * The life of its log.
 */
epoch: string, 
/**
 * Its newest event's id.
 */
head: number, 
/**
 * Its oldest retained event's id.
 */
oldest_id: number, 
/**
 * Whether the viewer's cursor is unknown here, so that history begins at the start.
 */
reset: boolean, 
/**
 * The settings of the installation.
 */
settings?: SettingsView, } | { "type": "state", 
/**
 * The whole state.
 */
agent: AgentState, } | { "type": "agent_deleted", 
/**
 * The agent.
 */
agent_id: string, } | { "type": "events", 
/**
 * The events.
 */
events: Array<TownEvent>, 
/**
 * Whether they are history.
 */
backfill: boolean, } | { "type": "preview" } & Preview | { "type": "caught_up", 
/**
 * The head.
 */
id: number, } | { "type": "gap" } & Gap | { "type": "backpressure", 
/**
 * The level.
 */
level: PressureLevel, 
/**
 * Events between its cursor and the head.
 */
lag_events: number, } | { "type": "subscription_confirmed", 
/**
 * The agents.
 */
agents: "*" | Array<string>, 
/**
 * The filters.
 */
filters: Filters, 
/**
 * The id after which history begins.
 */
after_id: number, } | { "type": "heartbeat", 
/**
 * The time.
 */
at: string, 
/**
 * The newest event that the reader has received, or that its selection leaves out.
 */
id: number, } | { "type": "pong" } | { "type": "error", 
/**
 * The code's name.
 */
code: string, 
/**
 * The text for a person.
 */
message: string, 
/**
 * The type of the refused message, `subscribe` for example; absent where it has none.
 */
frame?: string, 
/**
 * The time.
 */
at: string, };

/**
 * `POST /api/session`: one of the two.
 */
export type SessionRequest = { 
/**
 * The operator's key.
 */
key?: string, 
/**
 * The code of a link.
 */
code?: string, };

/**
 * `GET /api/settings`, and in `hello`: the settings that a client needs.
 */
export type SettingsView = { 
/**
 * Whether streams are served.
 */
stream_enabled: boolean, 
/**
 * Frames a second to viewers with equal selections.
 */
stream_rate_limit: number, 
/**
 * The longest time that a frame waits for others, in milliseconds.
 */
stream_batch_ms: number, 
/**
 * Events that an acknowledging viewer may owe.
 */
stream_window_events: number, 
/**
 * Events kept per agent.
 */
event_cap: number, 
/**
 * The life of a ticket.
 */
ticket_ttl_seconds: number, };

/**
 * Data of `source_gap`.
 */
export type SourceGap = { 
/**
 * The agent whose events are missing, where it is known.
 */
agent_id?: string, 
/**
 * The number of them.
 */
count?: number, 
/**
 * The place where they were lost.
 */
source: string, };

/**
 * `POST …/container/agents/start`, and what the town hands to the control server.
 */
export type StartAgent = { 
/**
 * The agent's id, unique in the town; the town makes one where absent.
 */
agent_id?: string, 
/**
 * The working directory.
 */
rig_id: string, 
/**
 * The name for people.
 */
name: string, 
/**
 * Its part in the town.
 */
role: Role, 
/**
 * The program that runs.
 */
runtime: Runtime, 
/**
 * The prompt of the run.
 */
prompt?: string, 
/**
 * The model, by the agent program's own name of it.
 */
model?: string, 
/**
 * Added to the agent's own system prompt.
 */
system_prompt?: string, 
/**
 * The repository to clone.
 */
git_url?: string, 
/**
 * The branch to work on.
 */
branch?: string, 
/**
 * The branch that it is made from.
 */
default_branch?: string, 
/**
 * The agent's environment; never stored.
 */
env_vars?: { [key in string]: string }, 
/**
 * Names of variables whose values are hidden wherever the agent prints them. A name stands in `env_vars`, or
 * in `AGENT_ENV_*` without that prefix.
 */
secret_env?: Array<string>, 
/**
 * For `process`: the program and its arguments.
 */
command?: Array<string>, 
/**
 * For `replay`: a bundled recording's name.
 */
transcript?: string, 
/**
 * For `replay`: the speed. 1, the default, is the recorded speed; 0 prints everything at once.
 */
speed?: number, 
/**
 * The time limit of the run; 1,800 where absent.
 */
timeout_seconds?: number, 
/**
 * The budget of the run in US dollars: a warning comes at 80 %, and the run is stopped at 100 %.
 */
max_cost_usd?: number, 
/**
 * The budget of the run in tokens: read, written and of the cache, together.
 */
max_tokens?: number, };

/**
 * The status of an agent. `idle` stands only in states, for an agent without any run.
 */
export type Status = "idle" | "starting" | "running" | "waiting" | "stopping" | "exited" | "failed";

/**
 * `POST …/container/agents/:agent/stop`.
 */
export type StopAgent = { 
/**
 * SIGTERM where absent.
 */
signal?: StopSignal, };

/**
 * The signal by which a run is asked to end.
 */
export type StopSignal = "SIGTERM" | "SIGKILL";

/**
 * A sub-agent of the run: what it did, apart from the agent itself.
 */
export type SubAgent = { 
/**
 * The call that it works for.
 */
tool_use_id: string, 
/**
 * The task of the sub-agent, in a few words.
 */
description: string, 
/**
 * Tokens and cost of its own.
 */
usage: UsageTotals, 
/**
 * Its own to-do list.
 */
todos: Array<Todo>, 
/**
 * The current phase, in the sub-agent's own words.
 */
current_phase: string | null, 
/**
 * The time of the call.
 */
since: string, 
/**
 * The time of its end.
 */
ended_at: string | null, };

/**
 * The form of a permission's subject.
 */
export type SubjectKind = "command" | "plan" | "difference" | "text";

/**
 * The worker of a task in the background.
 */
export type TaskKind = "command" | "agent" | "other";

/**
 * The end of work in the background.
 */
export type TaskOutcome = "completed" | "failed" | "stopped";

/**
 * `POST …/stream-ticket`.
 */
export type TicketView = { 
/**
 * The ticket, which opens one stream, once.
 */
ticket: string, 
/**
 * A path that contains the ticket.
 */
url: string, 
/**
 * The end of its life.
 */
expires_at: string, };

/**
 * One line of the agent's to-do list.
 */
export type Todo = { 
/**
 * The task.
 */
content: string, 
/**
 * The status.
 */
status: TodoStatus, };

/**
 * The status of a to-do.
 */
export type TodoStatus = "pending" | "in_progress" | "completed";

/**
 * `POST /api/rigs/:rig/agents/:agent/token`.
 */
export type TokenRequest = { 
/**
 * The life of the token: 1 to 86,400 seconds; 28,800 where absent.
 */
ttl_seconds?: number, };

/**
 * `POST …/token`.
 */
export type TokenView = { 
/**
 * The id of the token, also its claim `jti`.
 */
token_id: string, 
/**
 * A JWT.
 */
token: string, 
/**
 * The end of its life.
 */
expires_at: string, };

/**
 * An agent's tokens that have no id.
 */
export type TokensWithoutId = { 
/**
 * The time of the last use of any of them, to the minute.
 */
last_used_at: string | null, 
/**
 * The time of the last revocation. A token issued up to then is refused, and so is a token without `iat`, the
 * time of its issue.
 */
revoked_at: string | null, };

/**
 * The purpose of a tool, in words that all agents share. The agent's own name of the tool stands beside it.
 */
export type ToolCategory = "Read" | "Write" | "Edit" | "Bash" | "Grep" | "Glob" | "WebFetch" | "WebSearch" | "Task" | "Todo" | "Mcp" | "Other";

/**
 * `PATCH /api/towns/:town`: another name, and what all its agents together may take in a day (UTC).
 */
export type TownChange = { 
/**
 * The name for people; absent: as before.
 */
name?: string, 
/**
 * US dollars; null: no bound; absent: as before.
 */
max_cost_usd?: number | null, 
/**
 * Tokens; null: no bound; absent: as before.
 */
max_tokens?: number | null, };

/**
 * An event of the town's log, as viewers get it.
 */
export type TownEvent = { 
/**
 * The position of the event.
 */
id: number, 
/**
 * The agent's id.
 */
agent_id: string, 
/**
 * The rig of the event.
 */
rig_id?: string, 
/**
 * The run's id.
 */
run_id?: string, 
/**
 * The name of the event.
 */
event: string, 
/**
 * The data of the event.
 */
data: unknown, 
/**
 * The time of the event.
 */
at: string, 
/**
 * The parts left out of `data`. `GET …/events/:id` gives the whole event.
 */
cut?: Array<Cut>, };

/**
 * `POST /api/towns`.
 */
export type TownRequest = { 
/**
 * The name for people.
 */
name: string, };

/**
 * A town in lists.
 */
export type TownSummary = { 
/**
 * The town.
 */
town_id: string, 
/**
 * The name for people.
 */
name: string, 
/**
 * The time of its creation.
 */
created_at: string, };

/**
 * `GET /api/towns/:town`.
 */
export type TownView = { 
/**
 * The town.
 */
town_id: string, 
/**
 * The name for people.
 */
name: string, 
/**
 * The time of its creation.
 */
created_at: string, 
/**
 * The life of its log.
 */
epoch: string, 
/**
 * The newest event's id, 0 where there is none.
 */
head: number, 
/**
 * The oldest retained event's id, 0 where there is none.
 */
oldest_id: number, 
/**
 * Its repositories.
 */
rigs: Array<RigView>, 
/**
 * Its agents, without archived ones.
 */
agents: Array<AgentState>, 
/**
 * The number of archived agents.
 */
archived_agents: number, 
/**
 * The budget of a day for all agents together, where it is set.
 */
day_budget?: DayBudget, 
/**
 * Its container, as last heard.
 */
container: ContainerView, };

/**
 * Tokens and cost so far. A cost that no source has named is absent, never 0.
 */
export type UsageTotals = { 
/**
 * Tokens read.
 */
input_tokens: number, 
/**
 * Tokens written.
 */
output_tokens: number, 
/**
 * Tokens read from the model's cache.
 */
cache_read_input_tokens: number, 
/**
 * Tokens written to the model's cache.
 */
cache_creation_input_tokens: number, 
/**
 * US dollars.
 */
cost_usd: number | null, };

/**
 * Data of `user_message`: what a person said to the agent, or its program said in a person's place.
 */
export type UserMessage = { 
/**
 * The words, whole.
 */
text: string, 
/**
 * The author: `operator`, or the name of the program that wrote the message in a person's place
 * (`claude_code`).
 */
by: string, 
/**
 * The kind of message.
 */
source: MessageSource, 
/**
 * The message's own name, where the program gives it one.
 */
message_id?: string, 
/**
 * The call whose sub-agent it was said to.
 */
parent_tool_use_id?: string, };

/**
 * Data of `work_order_created`.
 */
export type WorkOrderCreated = { 
/**
 * The work order.
 */
work_order_id: string, 
/**
 * The status.
 */
status: string, 
/**
 * The task.
 */
prompt?: string, };

/**
 * Data of `work_order_updated`.
 */
export type WorkOrderUpdated = { 
/**
 * The work order.
 */
work_order_id: string, 
/**
 * The status.
 */
status: string, 
/**
 * The status before.
 */
previous_status?: string, };
