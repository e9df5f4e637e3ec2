// What the simulation has to notice: each mutation breaks one promise of the core, and `caughtBy` is what the oracle says of
// it. Those with `gate` are tried at each run of all tests,
// the others by `npm run mutations`. An edit's `find` has to be in its file exactly once: one that is not there any more is out of date, and fails loudly.

const VIEWER = "crates/town/src/viewers/viewer.rs";
const VIEWERS = "crates/town/src/viewers/mod.rs";
const RELAY = "crates/town/src/relay/taking.rs";
const FORWARDING = "crates/town/src/relay/forwarding.rs";

export const MUTATIONS = [
  {
    name: "the relay's cursor does not move",
    gate: true,
    caughtBy: ["stored twice"],
    edits: [{ file: RELAY, find: "if cursor != asked.cursor {", replace: "if false {" }],
  },
  {
    name: "the rig's cursor does not move",
    caughtBy: ["stored twice"],
    edits: [{ file: FORWARDING, find: "|| cursor != stored.cursor {", replace: "{" }],
  },
  {
    name: "an answer to an old question counts",
    caughtBy: ["stored twice"],
    edits: [{ file: RELAY, find: "if position(store, &source)? != *asked || is_retired", replace: "if is_retired" }],
  },
  {
    name: "a repeated event of the container is not skipped",
    gate: true,
    caughtBy: ["stored twice"],
    edits: [{ file: RELAY, find: "if event.id <= cursor {", replace: "if false {" }],
  },
  {
    name: "a repeated batch of the rig is taken again",
    caughtBy: ["stored twice"],
    edits: [{ file: FORWARDING, find: "if batch.after == cursor {", replace: "if batch.after <= cursor {" }],
  },
  {
    name: "the rig forgets event_id",
    gate: true,
    caughtBy: ["a repeated post is taken twice"],
    edits: [{ file: "crates/town/src/rig/rig_log.rs", find: "event.event_id.as_ref().map(EventKey::as_str).into(),", replace: "None::<&str>.into()," }],
  },
  {
    name: "a retired life of the container is followed again",
    gate: true,
    caughtBy: ["and its container is there", "stored twice"],
    edits: [{ file: RELAY, find: "if position(store, &source)? != *asked || is_retired(store, &source, &epoch)? {", replace: "if position(store, &source)? != *asked {" }],
  },
  {
    name: "a loss in one life of the container marks runs of another",
    caughtBy: ["and its container is there"],
    edits: [
      { file: RELAY, find: "open.retain(|run| run.source_epoch.as_ref().is_none_or(|known| known == epoch));", replace: "open.retain(|_| true);" },
      { file: RELAY, find: "ingest.take_own_word(&gap(run, count, now))", replace: "ingest.take(&gap(run, count, now))" },
    ],
  },
  {
    name: "a loss at the source is not told",
    caughtBy: ["never arrived"],
    edits: [{ file: RELAY, find: "for run in &open {\n", replace: "for run in open.iter().take(0) {\n" }],
  },
  {
    name: "events after agent.exited are stored",
    caughtBy: ["an event after the end of its run"],
    edits: [{ file: "crates/town/src/log/ingest.rs", find: "        if run.ended {\n", replace: "        if false {\n" }],
  },
  {
    name: "a transaction is not undone",
    caughtBy: ["a refused transaction left something behind"],
    edits: [
      {
        file: "crates/town/src/store.rs",
        find: "store\n        .transaction(&mut || {\n            outcome = Some(body()?);\n            Ok(())\n        })\n        .inspect_err(|_| store.known_head().newest.set(None))?;",
        replace: "let _ = store;\n    outcome.replace(body()?);",
      },
    ],
  },
  {
    name: "viewers are sent a batch before it is stored",
    gate: true,
    // Shown early and then undone, or taken for shown and then not sent.
    caughtBy: ["a viewer is shown what was never stored", "a state that is not stored", "is missing without a word"],
    edits: [
      { file: FORWARDING, find: "let store = self.store.as_ref();", replace: "let store = std::rc::Rc::clone(&self.store);\n        let store = store.as_ref();" },
      {
        file: FORWARDING,
        find: "            let outcome = ingest.finish()?;\n",
        replace: `            let outcome = ingest.finish()?;
            let mut early = Vec::new();
            self.pump(crate::viewers::frames::Occasion::at(now), &mut early)?;
            self.effects.extend(early);
`,
      },
    ],
  },
  {
    name: "a decision is not shown at the front door",
    caughtBy: ["is missing without a word", "lacks", "is neither at the head nor told to wait", "nobody was told"],
    edits: [{ file: "crates/town/src/input.rs", find: "        self.show_change(change, now);\n", replace: "        drop(change);\n" }],
  },
  {
    name: "a rig's outbox waits without an alarm",
    caughtBy: ["no alarm stands for it"],
    edits: [{ file: "crates/town/src/rig/carrier.rs", find: "if self.is_alarmed { AlarmChange::Keep } else { self.set_in(UNDER_WAY_MS) }", replace: "AlarmChange::Keep" }],
  },
  {
    name: "the end of another run takes an agent's silence back",
    caughtBy: ["nobody would notice"],
    edits: [{ file: "crates/town/src/log/ingest.rs", find: "if (self.is_posted || is_of_present_run) &&", replace: "let _ = is_of_present_run;\n        if" }],
  },
  {
    name: "what is pruned is not told",
    gate: true,
    caughtBy: ["is missing without a word", "lacks"],
    edits: [{ file: "crates/town/src/reading/cursor.rs", find: "gaps.push(Gap {", replace: "drop::<Gap>(Gap {" }],
  },
  {
    name: "a gap reaches back into what a viewer has",
    caughtBy: ["a gap within what this viewer has had", "a gap counts wrong", "was told to be missing, and came"],
    edits: [{ file: "crates/town/src/reading/cursor.rs", find: "from: first.max(cursor.next()),", replace: "from: first," }],
  },
  {
    name: "a gap counts one too many",
    caughtBy: ["a gap counts wrong"],
    edits: [{ file: "crates/town/src/reading/cursor.rs", find: "row.number(3)).transpose()?", replace: "row.number(3).map(|count| count + 1)).transpose()?" }],
  },
  {
    name: "pruning leaves the base where it was",
    caughtBy: ["the log leads elsewhere than the state"],
    edits: [{ file: "crates/town/src/log/writer.rs", find: "        base.reduce(", replace: "        base.clone().reduce(" }],
  },
  {
    name: "a recalled viewer starts at 0",
    caughtBy: ["ids fall"],
    edits: [{ file: VIEWERS, find: "state.position.cursor = head;", replace: "state.position.cursor = EventId::START;" }],
  },
  {
    name: "a recalled viewer starts at its note's cursor",
    caughtBy: ["ids fall"],
    edits: [{ file: VIEWERS, find: "state.position.cursor = head;", replace: "let _ = head;" }],
  },
  {
    name: "caught_up comes before the last frame",
    caughtBy: ["history comes before caught_up", "caught up twice"],
    edits: [
      {
        file: VIEWER,
        find: "            self.send(&frame_run,",
        replace: "            if !self.state.live {\n                self.tell(&ServerFrame::CaughtUp { id: head }, effects);\n            }\n            self.send(&frame_run,",
      },
    ],
  },
  {
    name: "the window of a viewer that acknowledges is ignored",
    caughtBy: ["events are not acknowledged, and more is sent"],
    edits: [{ file: "crates/town/src/viewers/flow.rs", find: "window.owed.is_empty() || (events <= window_events", replace: "window.owed.is_empty() || true || (events <= window_events" }],
  },
  {
    name: "the end of a pause is not told",
    caughtBy: ["a paused viewer is sent nothing"],
    edits: [{ file: VIEWER, find: "if self.state.flow.resume() {", replace: "if self.state.flow.resume() && false {" }],
  },
  {
    name: "what is left out is not told",
    caughtBy: ["is missing without a word"],
    edits: [{ file: "crates/town/src/viewers/elision.rs", find: "std::mem::take(&mut self.gaps).into_values()", replace: "std::mem::take(&mut self.gaps).into_values().take(0)" }],
  },
  {
    name: "what is dear is left out",
    caughtBy: ["too dear to be left out"],
    edits: [{ file: "crates/town/src/viewers/elision.rs", find: "_ => Self::Essential,", replace: "_ => Self::Output," }],
  },
  {
    name: "filters are ignored",
    caughtBy: ["not for this viewer"],
    edits: [{ file: "crates/town/src/viewers/frames.rs", find: "if selection.shows(&entry.event) && !elided", replace: "if !elided" }],
  },
  {
    name: "a ticket for one agent opens all",
    gate: true,
    caughtBy: ["beyond what its ticket permits", "a confirmation that nobody asked for"],
    edits: [{ file: "crates/town/src/access/permit.rs", find: "let Scope::Agent(own) = &self.scope else { return Ok(()) };", replace: "let (Scope::Agent(own), false) = (&self.scope, true) else { return Ok(()) };" }],
  },
  {
    name: "a ticket's scope is forgotten while the town sleeps",
    caughtBy: ["beyond what its ticket permits", "a confirmation that nobody asked for"],
    edits: [
      {
        file: VIEWERS,
        find: "let Note { id, form, standing: state, .. } = &mut note;",
        replace: "note.permit.scope = crate::access::permit::Scope::Town;\n        let Note { id, form, standing: state, .. } = &mut note;",
      },
    ],
  },
  {
    name: "what a run tells that went with its agent is taken for a new agent's of the same id",
    caughtBy: ["stored of a run that went with its agent"],
    edits: [{ file: "crates/town/src/agents/deletion.rs", find: "&[run_id.as_str().into()])?.is_empty())", replace: "&[\"none\".into()])?.is_empty())" }],
  },
  {
    name: "the head falls where the newest event goes with its agent",
    caughtBy: ["was stored after", "hello names another head"],
    edits: [{ file: "crates/town/src/log/mod.rs", find: "newest.max(store.known_head().erased.get())", replace: "{\n        let _ = store;\n        newest\n    }" }],
  },
  {
    name: "an agent that posts has as many runs open as it begins",
    caughtBy: ["more runs are open than may be"],
    edits: [{ file: "crates/town/src/log/ingest/open_runs.rs", find: "OPEN_RUNS_MAX - 1)?", replace: "usize::MAX)?" }],
  },
  {
    name: "a state waits for a clock that stepped back",
    caughtBy: ["that was sent is an old one"],
    edits: [{ file: "crates/town/src/log/states.rs", find: "|| stepped_back(agent);", replace: "|| (false && stepped_back(agent));" }],
  },
];
