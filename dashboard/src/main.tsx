import { render } from "preact";
import { Api } from "./client/api.ts";
import { browserFetch } from "./browser.ts";
import { App } from "./view/app.tsx";
import { takeKey } from "./view/route.ts";

// Before anything else: the key must not stay in the address, where it could be copied, bookmarked or seen.
const key = takeKey();

const root = document.getElementById("app");
if (root !== null) render(<App api={new Api(browserFetch)} firstKey={key} />, root);
