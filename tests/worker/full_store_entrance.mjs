// The Worker with objects that may take no more than so many pages of 4 KiB: as where the platform gives no more. Only
// workerd's own tests can say so, hence the flag `experimental`.

import Worker, { Account, Rig as AnyRig, Town as AnyTown } from "../../src/entrance.mjs";

/** 4 MB: a batch from the rig, of up to 2 MiB, has to fit. */
const PAGES = 1_000;

const bounded = (AnyObject) =>
  class extends AnyObject {
    constructor(state, env) {
      super(state, env);
      state.storage.sql.setMaxPageCountForTest(PAGES);
    }
  };

export class Town extends bounded(AnyTown) {}
export class Rig extends bounded(AnyRig) {}
export { Account };
export default Worker;
