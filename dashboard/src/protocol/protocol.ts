// Generated from crates/protocol/ by `npm run types`; do not edit.

/**
 * What an agent is at.
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
 * Since when.
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
 * For a person.
 */
message: string, 
/**
 * Whether the agent tries again by itself.
 */
retryable?: boolean, 
/**
 * When it is over, where that is known: the end of a rate limit, say.
 */
until?: string, };

/**
 * Data of `agent.exited`.
 */
export type AgentExited = { 
/**
 * Why.
 */
reason: ExitReason, 
/**
 * What the process returned.
 */
exit_code?: number, 
/**
 * The signal that ended it, by its name.
 */
signal?: string, 
/**
 * For a person.
 */
message?: string, };

/**
 * Data of `agent_notice`: what the program itself does or warns of, and a person needs to know. No error.
 */
export type AgentNotice = { 
/**
 * What it is about.
 */
kind: AgentNoticeKind, 
/**
 * How much it matters.
 */
level: NoticeLevel, 
/**
 * For a person.
 */
message: string, 
/**
 * When it is over, where that is known.
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
 * What a program tells of itself.
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
 * Where it came from.
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
 * Whether the line goes on: the next output of the same stream continues it. A progress bar comes so.
 */
partial?: boolean, 
/**
 * Whether the text was still being written when its author ended: there is no more of it.
 */
broken_off?: boolean, };

/**
 * Data of `agent_question`.
 */
export type AgentQuestion = { 
/**
 * Names the question for its answer.
 */
request_id: string, 
/**
 * What it is about.
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
 * What is asked, one by one; each wants an entry of the answer. Empty for a permission.
 */
parts?: Array<QuestionPart>, 
/**
 * What would be allowed, whole: the command, plan or difference.
 */
subject?: QuestionSubject, 
/**
 * What `always` would allow from now on, in words; absent where it is not offered or not said.
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
 * What was answered.
 */
answer: Answer, 
/**
 * Who answered: `operator`, or the program where nobody here did.
 */
by: string, 
/**
 * The words with it: why not, say.
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
 * Unique in the town; minted where absent.
 */
agent_id?: string, 
/**
 * For people.
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
 * Where it works.
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
 * Its system.
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
 * How it asks for permission.
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
 * All that is known of an agent, made out of its events by one reducer.
 */
export type AgentState = { 
/**
 * The agent.
 */
agent_id: string, 
/**
 * Its rig.
 */
rig_id: string, 
/**
 * For people.
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
 * Where it stands.
 */
status: Status, 
/**
 * Its current or last run.
 */
run_id: string | null, 
/**
 * Counts its runs from 1; 0 before the first.
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
 * Where it works.
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
 * Its system.
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
 * What it waits for a person for: all open questions, its sub-agents' too, oldest first.
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
 * What the run may take, where its start has set it.
 */
run_budget?: Budget, 
/**
 * What the agent may take in a day, where that is set.
 */
day_budget?: DayBudget, 
/**
 * When it was archived, where it is.
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
 * How far the run is.
 */
progress: ProgressUpdate | null, 
/**
 * What it is at; null before its first run.
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
 * When that was.
 */
last_event_at: string | null, 
/**
 * When the run began.
 */
started_at: string | null, 
/**
 * Time at work, up to `working_since`.
 */
worked_ms: number, 
/**
 * Since when it has been at work without a pause; null while it waits for a person and after its end.
 */
working_since: string | null, 
/**
 * Time in which it waited for a person, up to the last time that it went on.
 */
waited_ms: number, 
/**
 * When it ended.
 */
ended_at: string | null, 
/**
 * How it ended.
 */
exit: AgentExited | null, };

/**
 * Data of `agent.status`.
 */
export type AgentStatusChanged = { 
/**
 * Where it stands now.
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
 * How it ended.
 */
outcome: TaskOutcome, 
/**
 * In the program's words.
 */
summary?: string, 
/**
 * What the command returned, where that is known.
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
 * Names the work.
 */
task_id: string, 
/**
 * What does it.
 */
kind: TaskKind, 
/**
 * What is done.
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
 * Names it.
 */
token_id: string, 
/**
 * When it was made.
 */
created_at: string, 
/**
 * When it ends by itself.
 */
expires_at: string, 
/**
 * When it was last used, to the minute; null before that.
 */
last_used_at: string | null, 
/**
 * When it was revoked.
 */
revoked_at: string | null, };

/**
 * `GET …/tokens`: what may be shown of an agent's tokens, which is not they themselves.
 */
export type AgentTokens = { 
/**
 * Those with an id whose time is not over, the newest first.
 */
tokens: Array<AgentToken>, 
/**
 * The others together, which whoever has the secret can make.
 */
without_id: TokensWithoutId, };

/**
 * Data of `agent_tool_call`.
 */
export type AgentToolCall = { 
/**
 * Pairs the call with its result.
 */
tool_use_id: string, 
/**
 * The agent's own name of the tool.
 */
tool: string, 
/**
 * What it is for.
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
 * What it gave, as text: the texts of all its parts.
 */
content: string, 
/**
 * The content's length in bytes, before anything was cut.
 */
content_length: number, 
/**
 * From the call to the result; 0 if the call was not seen.
 */
duration_ms: number, 
/**
 * What the command returned, where it was one and the agent tells.
 */
exit_code?: number, 
/**
 * What it gave beside text: pictures, documents, links.
 */
attachments?: Array<Attachment>, };

/**
 * Data of `agent_usage`: of a `message_id` the last figures count, once; a run's cumulative total replaces, never adds.
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
 * Words for the agent: why not, or, for a question of one part, the answer itself.
 */
text?: string, 
/**
 * The answer to a question that is no permission: an entry for each of its parts, in their order.
 */
answers?: Array<PartAnswer>, };

/**
 * One thing of a result that is no text.
 */
export type Attachment = { 
/**
 * What it is.
 */
kind: AttachmentKind, 
/**
 * Its media type, as `image/png`.
 */
media_type?: string, 
/**
 * Its name, for a person.
 */
name?: string, 
/**
 * Where it is, in the agent's words.
 */
uri?: string, 
/**
 * Its size, decoded.
 */
size_bytes?: number, 
/**
 * Names a picture that the town keeps: `GET …/agents/:agent/images/:image_id`. Absent where it is not kept.
 */
image_id?: string, 
/**
 * Why it is not kept, for a person.
 */
problem?: string, };

/**
 * What a result has beside text.
 */
export type AttachmentKind = "image" | "audio" | "document" | "link";

/**
 * Work that the agent left running in the background.
 */
export type BackgroundTask = { 
/**
 * Names the work.
 */
task_id: string, 
/**
 * What does it.
 */
kind: TaskKind, 
/**
 * What is done.
 */
description: string, 
/**
 * The call that began it.
 */
tool_use_id?: string, 
/**
 * Since when.
 */
since: string, };

/**
 * A browser that is signed in.
 */
export type BrowserSession = { 
/**
 * Names it.
 */
session_id: string, 
/**
 * What it is, as it says itself, shortened.
 */
browser: string, 
/**
 * When it signed in.
 */
created_at: string, 
/**
 * When it was last heard of, to the minute.
 */
last_seen_at: string, 
/**
 * When it ends if it is not used again.
 */
ends_at: string, };

/**
 * What may be spent; what is absent has no bound.
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
 * US dollars; null for no bound, absent: as it was.
 */
max_cost_usd?: number | null, 
/**
 * Tokens; null for no bound, absent: as it was.
 */
max_tokens?: number | null, };

/**
 * What a viewer sends on a WebSocket, one JSON object a message.
 */
export type ClientFrame = { "type": "subscribe", 
/**
 * The agents.
 */
agents: "*" | Array<string>, 
/**
 * Where history begins; live only where absent.
 */
after_id?: number, 
/**
 * What to leave out.
 */
filters?: Filters, } | { "type": "ack", 
/**
 * The id.
 */
id: number, } | { "type": "ping" };

/**
 * Where a town's container stands.
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
 * What stands between agents and the machine there; absent where that is not known.
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
 * How much was left out.
 */
bytes: number, };

/**
 * What may be spent in a day, and what has been.
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
 * Where the next page begins.
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
 * What was asked for and is gone.
 */
gaps: Array<Gap>, 
/**
 * Whether the cursor meant nothing here and the page begins at the start.
 */
reset?: boolean, };

/**
 * Why a run ended.
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
 * How often it has failed without a success in between.
 */
count: number, };

/**
 * What happened to a file.
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
 * What happened to it.
 */
action: FileAction, 
/**
 * Its path before, when renamed.
 */
from?: string, 
/**
 * Its size now.
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
 * What a viewer wants to see; lifecycle, questions and errors are always sent.
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
 * Events of an agent that a reader asked for and does not get.
 */
export type Gap = { 
/**
 * Whose.
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
 * How many, where that is known.
 */
count?: number, 
/**
 * Why.
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
 * True: the town knows that the agent is there.
 */
heard: boolean, };

/**
 * For the TypeScript types only: the same list as a union that `event` tells apart.
 */
export type KnownEvent = { "event": "agent.status", "data": AgentStatusChanged } | { "event": "agent.exited", "data": AgentExited } | { "event": "agent_session", "data": AgentSession } | { "event": "agent_output", "data": AgentOutput } | { "event": "user_message", "data": UserMessage } | { "event": "agent_tool_call", "data": AgentToolCall } | { "event": "agent_tool_result", "data": AgentToolResult } | { "event": "agent_question", "data": AgentQuestion } | { "event": "agent_question_answered", "data": AgentQuestionAnswered } | { "event": "agent_usage", "data": AgentUsage } | { "event": "agent_error", "data": AgentError } | { "event": "agent_notice", "data": AgentNotice } | { "event": "agent_task_started", "data": AgentTaskStarted } | { "event": "agent_task_ended", "data": AgentTaskEnded } | { "event": "file_changed", "data": FileChanged } | { "event": "progress_update", "data": ProgressUpdate } | { "event": "run_started", "data": RunStarted } | { "event": "run_iteration", "data": RunIteration } | { "event": "run_completed", "data": RunCompleted } | { "event": "run_failed", "data": RunFailed } | { "event": "work_order_created", "data": WorkOrderCreated } | { "event": "work_order_updated", "data": WorkOrderUpdated } | { "event": "parser_notice", "data": ParserNotice } | { "event": "source_gap", "data": SourceGap };

/**
 * `POST …/container/agents/:agent/message`.
 */
export type MessageAgent = { 
/**
 * What to tell the agent.
 */
prompt: string, };

/**
 * What a person's words were said as.
 */
export type MessageSource = "prompt" | "message" | "command";

/**
 * Why a line could not be read, or shown, as it was.
 */
export type NoticeKind = "malformed" | "unknown" | "oversized" | "redacted";

/**
 * How much a notice matters.
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
 * Since when.
 */
since: string, 
/**
 * Whether something of it is cut here.
 */
cut: boolean, 
/**
 * Names the question for its answer.
 */
request_id: string, 
/**
 * What it is about.
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
 * What is asked, one by one; each wants an entry of the answer. Empty for a permission.
 */
parts?: Array<QuestionPart>, 
/**
 * What would be allowed, whole: the command, plan or difference.
 */
subject?: QuestionSubject, 
/**
 * What `always` would allow from now on, in words; absent where it is not offered or not said.
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
 * Where a text came from.
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
 * What it does, in plain words.
 */
summary: string, 
/**
 * The call whose sub-agent makes it.
 */
parent_tool_use_id?: string, 
/**
 * When it was called.
 */
since: string, };

/**
 * Data of `parser_notice`.
 */
export type ParserNotice = { 
/**
 * What was wrong.
 */
kind: NoticeKind, 
/**
 * How many lines in a row this stands for.
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
 * Its name.
 */
event_type: string, 
/**
 * Any JSON value; null where absent.
 */
data?: unknown, 
/**
 * When it happened; now where absent.
 */
at?: string, 
/**
 * Recognises a repeat.
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
 * Whose events.
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
 * When it happened; now where absent.
 */
at?: string, 
/**
 * Recognises a repeat.
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
 * How far a viewer lags.
 */
export type PressureLevel = "normal" | "paused";

/**
 * A part of a message that an agent is still typing. It has no id and is never stored: the message's event has it all.
 */
export type Preview = { 
/**
 * Whose.
 */
agent_id: string, 
/**
 * Of which run.
 */
run_id: string, 
/**
 * The `message_id` of the `agent_output` that will follow.
 */
message_id: string, 
/**
 * Where the text belongs in the message, in UTF-16 units. Who misses a part waits for one with offset 0.
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
 * 0 to 100, null when unknown; never falls; 100 only at a successful end.
 */
percentage: number | null, 
/**
 * What the run is at, in a few words.
 */
current_phase: string, 
/**
 * Calls so far.
 */
tool_call_count: number, 
/**
 * At work since the run began; the time between turns is not counted.
 */
elapsed_seconds: number, 
/**
 * Until it ends, by the to-dos or turns that are done; absent below a tenth of them.
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
 * What a question is about.
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
 * What it means.
 */
description?: string, 
/**
 * What it would look like, as the agent sketches it.
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
 * What can be chosen.
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
 * What a permission is about.
 */
export type QuestionSubject = { 
/**
 * How to show it.
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
 * For people.
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
 * Its town.
 */
town_id: string, 
/**
 * For people.
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
 * When it was made.
 */
created_at: string, 
/**
 * When it was archived, where it is.
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
 * Why, for a person.
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
 * Counts from 1.
 */
iteration_number: number, 
/**
 * How many it may be.
 */
total_iterations: number, 
/**
 * Whether the check passed; null where there is none.
 */
verification_passed: boolean | null, 
/**
 * What the check printed.
 */
verification_output?: string, };

/**
 * Data of `run_started`.
 */
export type RunStarted = { 
/**
 * Counts the agent's runs from 1.
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
 * Whose.
 */
agent_id: string, 
/**
 * Counts the agent's runs from 1.
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
 * When it was asked for.
 */
started_at: string, 
/**
 * When it ended.
 */
ended_at?: string, 
/**
 * How it ended.
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
 * What `replay` can play, by name.
 */
recordings?: Array<string>, };

/**
 * What stands between agents and the machine that they run on. Without any, agents ask before they do things.
 */
export type SandboxKind = "none" | "image" | "bubblewrap";

/**
 * What the server sends on a stream, one JSON object a message.
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
 * Whether the viewer's cursor meant nothing here and history begins at the start.
 */
reset: boolean, 
/**
 * What the installation has set.
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
 * How much.
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
 * Where history begins.
 */
after_id: number, } | { "type": "heartbeat", 
/**
 * When.
 */
at: string, 
/**
 * The newest event that the reader has had, or that is not for it.
 */
id: number, } | { "type": "pong" } | { "type": "error", 
/**
 * The code's name.
 */
code: string, 
/**
 * For a person.
 */
message: string, 
/**
 * The kind of the message that could not be taken, `subscribe` say; none where it has none.
 */
frame?: string, 
/**
 * When.
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
 * `GET /api/settings`, and in `hello`: what a client would else have to guess.
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
 * How long a frame waits at most for others.
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
 * How long a ticket lives.
 */
ticket_ttl_seconds: number, };

/**
 * Data of `source_gap`.
 */
export type SourceGap = { 
/**
 * The agent whose events are missing, where that is known.
 */
agent_id?: string, 
/**
 * How many.
 */
count?: number, 
/**
 * Where they were lost.
 */
source: string, };

/**
 * `POST …/container/agents/start`, and what the town hands to the control server.
 */
export type StartAgent = { 
/**
 * Unique in the town; minted where absent.
 */
agent_id?: string, 
/**
 * Where it works.
 */
rig_id: string, 
/**
 * For people.
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
 * What it is asked to do.
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
 * Names of variables whose values are hidden wherever the agent says them, whatever the names are; of `env_vars`, or
 * of `AGENT_ENV_*` without this prefix.
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
 * For `replay`: 1 is its own pace (and the default), 0 at once.
 */
speed?: number, 
/**
 * The run's end at the latest; 1,800 where absent.
 */
timeout_seconds?: number, 
/**
 * What the run may cost in US dollars; it is warned at 80 % and stopped at 100 %.
 */
max_cost_usd?: number, 
/**
 * The same in tokens: read, written and of the cache, together.
 */
max_tokens?: number, };

/**
 * Where an agent stands. `idle` is only a state, for an agent that has had no run yet.
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
 * How a run is asked to end.
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
 * What it was asked, in a few words.
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
 * What it is at, in its own words.
 */
current_phase: string | null, 
/**
 * When it was called.
 */
since: string, 
/**
 * When it ended.
 */
ended_at: string | null, };

/**
 * How to show what a permission is about.
 */
export type SubjectKind = "command" | "plan" | "difference" | "text";

/**
 * What does work in the background.
 */
export type TaskKind = "command" | "agent" | "other";

/**
 * How work in the background ended.
 */
export type TaskOutcome = "completed" | "failed" | "stopped";

/**
 * `POST …/stream-ticket`.
 */
export type TicketView = { 
/**
 * Opens one stream, once.
 */
ticket: string, 
/**
 * A path that contains the ticket.
 */
url: string, 
/**
 * Its end.
 */
expires_at: string, };

/**
 * One line of the agent's to-do list.
 */
export type Todo = { 
/**
 * What is to be done.
 */
content: string, 
/**
 * Where it stands.
 */
status: TodoStatus, };

/**
 * Where a to-do stands.
 */
export type TodoStatus = "pending" | "in_progress" | "completed";

/**
 * `POST /api/rigs/:rig/agents/:agent/token`.
 */
export type TokenRequest = { 
/**
 * 1 to 86,400; 28,800 where absent.
 */
ttl_seconds?: number, };

/**
 * `POST …/token`.
 */
export type TokenView = { 
/**
 * Names it; it says so itself, as `jti`.
 */
token_id: string, 
/**
 * A JWT.
 */
token: string, 
/**
 * Its end.
 */
expires_at: string, };

/**
 * An agent's tokens that have no id.
 */
export type TokensWithoutId = { 
/**
 * When one was last used, to the minute.
 */
last_used_at: string | null, 
/**
 * Those that were made up to then are refused, and so are those that do not say when.
 */
revoked_at: string | null, };

/**
 * What a tool is for, the same for all agents; the agent's own name of it stays beside it.
 */
export type ToolCategory = "Read" | "Write" | "Edit" | "Bash" | "Grep" | "Glob" | "WebFetch" | "WebSearch" | "Task" | "Todo" | "Mcp" | "Other";

/**
 * `PATCH /api/towns/:town`: another name, and what all its agents together may take in a day (UTC).
 */
export type TownChange = { 
/**
 * For people; absent: as it was.
 */
name?: string, 
/**
 * US dollars; null for no bound, absent: as it was.
 */
max_cost_usd?: number | null, 
/**
 * Tokens; null for no bound, absent: as it was.
 */
max_tokens?: number | null, };

/**
 * An event of the town's log, as viewers get it.
 */
export type TownEvent = { 
/**
 * Its position.
 */
id: number, 
/**
 * Whose.
 */
agent_id: string, 
/**
 * In which rig.
 */
rig_id?: string, 
/**
 * Of which run.
 */
run_id?: string, 
/**
 * Its name.
 */
event: string, 
/**
 * Its data.
 */
data: unknown, 
/**
 * When it happened.
 */
at: string, 
/**
 * What was left out of `data`; the whole event is one `GET …/events/:id` away.
 */
cut?: Array<Cut>, };

/**
 * `POST /api/towns`.
 */
export type TownRequest = { 
/**
 * For people.
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
 * For people.
 */
name: string, 
/**
 * When it was made.
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
 * For people.
 */
name: string, 
/**
 * When it was made.
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
 * How many agents are archived.
 */
archived_agents: number, 
/**
 * What all agents together may take in a day, where that is set.
 */
day_budget?: DayBudget, 
/**
 * Its container, as last heard.
 */
container: ContainerView, };

/**
 * Tokens and cost so far; a cost that no one named is absent, never 0.
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
 * Who said it: `operator`, or the name of the program that put it into a person's mouth (`claude_code`).
 */
by: string, 
/**
 * What it was said as.
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
 * Where it stands.
 */
status: string, 
/**
 * What is to be done.
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
 * Where it stands.
 */
status: string, 
/**
 * Where it stood.
 */
previous_status?: string, };
