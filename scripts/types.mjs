// `npm run types` writes what others read of the Rust types: the dashboard's TypeScript and the API's openapi.json.

import { main } from "./lib/main.mjs";
import { run } from "./lib/run.mjs";
import { stepper } from "./lib/steps.mjs";

const args = ["test", "--locked", "--test", "documents"];
const env = { ...process.env, TOWNWATCH_WRITE_TYPES: "1" };

await main(async () => void (await stepper(1)("writing the types", () => run("cargo", args, { env }))));
