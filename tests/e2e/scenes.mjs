// What there is to see, page by page: each scene brings a fresh page, signed in but for the first, to where a person
// would look at it.

import { addressOf } from "./browser.mjs";

const agent = (agent_id, query = "") => async ({ page, world, town }) => {
  await page.goto(`${addressOf(world, town, agent_id)}${query}`);
  await page.getByText("Live", { exact: true }).waitFor();
};

const town = async ({ page, world, town }) => {
  await page.goto(addressOf(world, town));
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Tidy the build" }).waitFor();
};

/** An agent of the town where they post, or all of them. */
const posted = (agent_id) => async ({ page, world, town }) => {
  await page.goto(addressOf(world, town.posted, agent_id));
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByRole(agent_id === undefined ? "list" : "log", agent_id === undefined ? { name: "Agents" } : {}).first().waitFor();
};

export const scenes = {
  sign_in: async ({ page, world }) => {
    await page.goto(world.url);
    await page.getByText("npm run link").waitFor();
  },
  town_empty: async ({ page, world }) => {
    const { town_id } = await world.town("Newtown");
    await page.goto(`${world.url}/towns/${town_id}`);
    await page.getByText("All quiet in town").waitFor();
  },
  town,
  town_start: async (stage) => {
    await town(stage);
    await stage.page.getByRole("button", { name: "Start an agent…" }).click();
    await stage.page.getByText("What should run?").waitFor();
  },
  town_since: async (stage) => {
    await stage.page.addInitScript(
      ([name, look]) => localStorage.setItem(name, look),
      [`townwatch.look.${stage.town.town_id}`, JSON.stringify({ id: 1, at: new Date(Date.now() - 3_600_000).toISOString(), costs: [] })],
    );
    await town(stage);
    await stage.page.getByRole("button", { name: /failure/ }).click();
  },
  town_keys: async (stage) => {
    await town(stage);
    await stage.page.keyboard.press("?");
    await stage.page.getByRole("dialog").waitFor();
  },
  town_unknown: async ({ page, world }) => {
    await page.goto(`${world.url}/towns/none`);
    await page.getByText("There is no such town").waitFor();
  },
  town_reconnecting: async (stage) => {
    await town(stage);
    await stage.page.route("**/stream-ticket", (route) => route.abort());
    await stage.page.reload();
    await stage.page.getByText(/^Reconnecting/).waitFor();
  },
  agent_activity: agent("subagent"),
  agent_running: agent("running"),
  agent_asks: agent("asks"),
  agent_failed: agent("failed"),
  agent_lost: agent("lost"),
  agent_unknown: agent("nobody"),
  agent_output: agent("running", "?tab=output"),
  agent_tools: agent("subagent", "?tab=tools"),
  agent_files: agent("running", "?tab=files"),
  agent_errors: agent("failed", "?tab=errors"),
  agent_volume: agent("volume"),
  posted_town: posted(),
  posted_two_questions: posted("two_questions"),
  posted_parts: posted("parts"),
  posted_long_command: posted("long_command"),
  posted_told: posted("told"),
  posted_background: posted("background"),
  posted_notices: posted("notices"),
  posted_tokens: async (stage) => {
    const { world, page } = stage;
    const [used, revoked] = [await world.agentToken(stage.town.posted, "told"), await world.agentToken(stage.town.posted, "told")];
    for (const token of [used, revoked]) await world.api("GET", "/api/session", undefined, { token });
    await posted("told")(stage);
    await page.getByRole("button", { name: "Tokens" }).click();
    await page.getByRole("button", { name: "Revoke", exact: true }).first().click();
    await page.getByText(/, revoked /).first().waitFor();
  },
};
