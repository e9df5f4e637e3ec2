// The control server's settings that are numbers, with their defaults (`npm run types` writes them from container/src/setting.rs).

import fs from "node:fs";

/** @type {{ [name: string]: number }} */
export const CONTROL_DEFAULTS = JSON.parse(fs.readFileSync(new URL("control_settings.json", import.meta.url), "utf8"));
