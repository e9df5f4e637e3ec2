// A model on loopback that tells the same story to whoever asks: what it answers depends on the path's first part, the
// story, and on how many tools the conversation has called so far. It keeps nothing, so agents may retry and run at once.
//
//   const model = await startModel(answer);     // answer(request, {story, rest, body, reply})
//   model.url("story")                          // http://127.0.0.1:PORT/story

import http from "node:http";

import { present } from "../present.mjs";

/** Starts it; `answer` is one of tests/models. */
export async function startModel(answer) {
  const problems = [];
  const server = http.createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part) => (text += part));
    request.on("end", () => {
      try {
        const [story, ...rest] = new URL(present(request.url), "http://model").pathname.slice(1).split("/");
        answer({ method: request.method, story, rest: rest.join("/"), body: text === "" ? {} : JSON.parse(text) }, reply(response));
      } catch (problem) {
        problems.push(problem);
        response.destroy();
      }
    });
  });
  server.unref(); // a test that failed before it could stop it must end all the same
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    problems,
    url: (story) => `http://127.0.0.1:${port}/${story}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function reply(response) {
  return {
    json(body, status = 200) {
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    },
    /** Server-sent events: `[data]` or `[data, name]`. Escaped, because Gemini CLI stumbles over a raw U+2028. */
    events(events) {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
      for (const [data, name] of events) {
        const text = JSON.stringify(data).replace(/[\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16)}`);
        response.write(`${name === undefined ? "" : `event: ${name}\n`}data: ${text}\n\n`);
      }
      response.end();
    },
  };
}
