// Gemini's API, as far as Gemini CLI uses it: `POST <story>/v1beta/models/<model>:streamGenerateContent`.

import { stepAfter, TOKENS } from "../live/stories.mjs";

export function answer({ method, story, rest, body }, reply) {
  if (method !== "POST" || !rest.endsWith(":streamGenerateContent")) return reply.json({ error: { message: `no ${rest} here` } }, 404);
  if (story === "unauthorized") {
    const error = { code: 400, message: "API key not valid. Please pass a valid API key.", status: "INVALID_ARGUMENT" };
    return reply.json({ error }, 400);
  }
  const parts = (body.contents ?? []).flatMap((content) => content.parts ?? []);
  const calls = parts.filter((part) => part.functionCall !== undefined).length;
  const step = stepAfter(story, calls);
  const called = step.calls.map((call, index) => ({ functionCall: callOf(call, `${step.number}_${index}`) }));
  const pieces = step.text.match(/.{1,12}/gsu) ?? [];
  const chunks = [...pieces.map((text) => [{ text }]), ...(called.length > 0 ? [called] : [])];
  const chunk = (content, finishReason) => ({
    candidates: [{ content: { role: "model", parts: content }, index: 0, finishReason }],
    usageMetadata: {
      promptTokenCount: TOKENS.read,
      cachedContentTokenCount: TOKENS.cached,
      candidatesTokenCount: TOKENS.written,
      totalTokenCount: TOKENS.read + TOKENS.written,
    },
    modelVersion: "model-of-the-tests",
    responseId: `response-${step.number}`,
  });
  reply.events([...chunks.map((content) => [chunk(content)]), [chunk([{ text: "" }], "STOP")]]);
}

function callOf([what, ...words], id) {
  const name = { read: "read_file", write: "write_file", run: "run_shell_command" }[what];
  const [first, content] = words;
  const args = what === "run" ? { command: first, description: "runs it" } : { file_path: first, content };
  return { id: `call_${id}`, name, args };
}
