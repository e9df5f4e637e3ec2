use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use townwatch_protocol::event::ExitReason;

use super::*;

const ASKED: StopRequest = StopRequest { signal: StopSignal::Term, cause: StopCause::Asked };
const KILL: StopRequest = StopRequest { signal: StopSignal::Kill, cause: StopCause::Asked };
const IDLE: Turn = Turn::Idle { can_go_on: true };
const TIMEOUT: Duration = Duration::from_hours(1);
/// The waiting of an agent with nothing to do, 5 min; then it has completed.
const WAITING_MAX: Duration = Duration::from_mins(5);

/// A life with its clock.
struct Clocked {
    life: Life,
    now: Instant,
}

impl Clocked {
    fn new(program: Program, waiting_max: Option<Duration>) -> Self {
        let now = Instant::now();
        Self { life: Life::new(program, TIMEOUT, waiting_max, now), now }
    }

    fn process() -> Self {
        Self::new(Program::Process, Some(WAITING_MAX))
    }

    fn server() -> Self {
        Self::new(Program::Server("opencode".to_owned()), Some(WAITING_MAX))
    }

    /// The time until something is due.
    fn wait(&mut self, turn: Turn) -> Duration {
        self.life.due(turn, self.now) - self.now
    }

    /// Lets the time pass until something is due: how long that was in seconds, and what happens then.
    fn pass(&mut self, turn: Turn) -> (u64, Vec<Action>) {
        let wait = self.wait(turn);
        self.now += wait;
        (wait.as_secs(), self.life.time_over(turn, self.now))
    }

    fn stop(&mut self, order: StopRequest) -> Vec<Action> {
        self.life.stop(order, self.now)
    }

    fn exit(self, end: &End<'_>) -> (ExitReason, Option<String>) {
        let exit = self.life.exit(end);
        (exit.reason, exit.message)
    }
}

fn code(code: i32) -> ExitStatus {
    ExitStatus::from_raw(code << 8)
}

fn says(reason: ExitReason, message: &str) -> (ExitReason, Option<String>) {
    (reason, Some(message.to_owned()))
}

#[test]
fn a_stop_interrupts_then_terminates_then_kills_again_and_again() {
    for (mut run, interrupt_limit) in [(Clocked::process(), 2), (Clocked::server(), 3)] {
        assert!(run.life.is_working());
        assert_eq!(run.stop(ASKED), [Action::Announce, Action::Interrupt]);
        assert!(!run.life.is_working());
        assert_eq!(run.pass(Turn::Open), (interrupt_limit, vec![Action::Terminate]));
        assert_eq!(run.pass(IDLE), (5, vec![Action::Kill]), "a turn counts only while nobody makes it end");
        assert_eq!(run.pass(IDLE), (5, vec![Action::Kill]));
        assert_eq!(run.exit(&End::default()), says(ExitReason::Stopped, "it was stopped with SIGKILL"));
    }
}

#[test]
fn a_turn_that_was_broken_off_is_not_waited_for_any_longer() {
    for mut run in [Clocked::process(), Clocked::server(), Clocked::new(Program::Process, None)] {
        assert_eq!(run.life.turn_over(run.now), [], "it has ended by itself");
        run.stop(ASKED);
        assert_eq!(run.life.turn_over(run.now), [Action::Terminate]);
        assert_eq!(run.life.turn_over(run.now), []);
        assert_eq!(run.wait(Turn::Open), Duration::from_secs(5));
        assert_eq!(run.exit(&End::default()), says(ExitReason::Stopped, "it was stopped"));
    }
}

#[test]
fn a_kill_is_at_once_from_anywhere_and_is_announced_where_nothing_was() {
    let mut at_work = Clocked::process();
    assert_eq!(at_work.stop(KILL), [Action::Announce, Action::Kill]);
    let mut interrupted = Clocked::server();
    interrupted.stop(ASKED);
    assert_eq!(interrupted.stop(KILL), [Action::Kill]);
    let mut terminated = Clocked::process();
    terminated.stop(ASKED);
    terminated.life.turn_over(terminated.now);
    assert_eq!(terminated.stop(KILL), [Action::Kill]);
    for run in [at_work, interrupted, terminated] {
        assert_eq!(run.exit(&End::default()), says(ExitReason::Stopped, "it was stopped with SIGKILL"));
    }
}

#[test]
fn the_first_reason_stays() {
    let mut late = Clocked::process();
    assert_eq!(late.pass(Turn::Open), (3_600, vec![Action::Announce, Action::Interrupt]));
    assert_eq!(late.stop(ASKED), [], "it was asked already, and its time runs");
    assert_eq!(late.wait(Turn::Open), Duration::from_secs(2));
    assert_eq!(late.stop(KILL), [Action::Kill]);
    assert_eq!(late.life.broke("no".to_owned(), late.now), []);
    assert_eq!(late.exit(&End::default()), says(ExitReason::Timeout, "it took longer than it was given"));
    let mut done = Clocked::server();
    assert_eq!(done.pass(IDLE), (300, vec![Action::Terminate]));
    assert_eq!((done.stop(ASKED), done.stop(KILL)), (vec![], vec![Action::Kill]));
    assert_eq!(done.exit(&End::default()), (ExitReason::Completed, None));
    let mut unasked = Clocked::process();
    unasked.stop(StopRequest { cause: StopCause::LeaseOver(Duration::from_mins(15)), ..ASKED });
    unasked.stop(KILL);
    let message = "it was stopped because its town had not asked about it for 900 seconds";
    assert_eq!(unasked.exit(&End::default()), says(ExitReason::Stopped, message));
}

#[test]
fn an_agent_with_nothing_to_do_is_waited_for_from_its_last_event_on() {
    let mut run = Clocked::process();
    assert_eq!(run.wait(Turn::Open), TIMEOUT);
    assert_eq!(run.wait(IDLE), WAITING_MAX);
    run.now += Duration::from_mins(4);
    assert_eq!(run.wait(IDLE), Duration::from_mins(1));
    run.life.happened();
    assert_eq!(run.wait(IDLE), WAITING_MAX);
    run.now += Duration::from_mins(4);
    assert_eq!(run.wait(Turn::Open), TIMEOUT.checked_sub(Duration::from_mins(8)).unwrap());
    assert_eq!(run.wait(IDLE), WAITING_MAX, "somebody told it something meanwhile");
    assert_eq!(run.wait(Turn::Idle { can_go_on: false }), Duration::from_secs(1));
    let mut in_no_time = Clocked::new(Program::Process, Some(Duration::ZERO));
    assert_eq!(in_no_time.wait(IDLE), Duration::from_secs(1), "its last words");
}

#[test]
fn who_has_waited_enough_has_completed_and_whose_turn_failed_has_failed() {
    let mut process = Clocked::process();
    assert_eq!(process.pass(IDLE), (300, vec![Action::CloseInput]));
    assert_eq!(process.pass(IDLE), (5, vec![Action::Terminate]));
    assert_eq!(process.pass(IDLE), (5, vec![Action::Kill]));
    assert_eq!(
        process.exit(&End { status: Some(ExitStatus::from_raw(9)), ..End::default() }),
        (ExitReason::Completed, None)
    );
    for mut run in [Clocked::process(), Clocked::server()] {
        assert_eq!(run.pass(Turn::Idle { can_go_on: false }).0, 1);
        let end = End { failure: Some("no such model"), last_line: Some("x"), ..End::default() };
        assert_eq!(run.exit(&end), says(ExitReason::Failed, "no such model"));
    }
}

#[test]
fn a_time_that_is_over_while_nobody_tells_it_anything_is_no_timeout() {
    let mut waiting = Clocked::new(Program::Server("kilo".to_owned()), Some(TIMEOUT * 2));
    assert_eq!(waiting.pass(IDLE), (3_600, vec![Action::Terminate]));
    assert_eq!(waiting.exit(&End::default()), (ExitReason::Completed, None));
    let mut deaf = Clocked::new(Program::Process, None);
    assert_eq!(deaf.pass(IDLE), (3_600, vec![Action::Announce, Action::Interrupt]));
    assert_eq!(deaf.exit(&End::default()).0, ExitReason::Timeout);
}

#[test]
fn what_cannot_go_on_is_terminated_and_says_why() {
    let mut run = Clocked::server();
    assert_eq!(run.life.broke("its stream broke off".to_owned(), run.now), [Action::Terminate]);
    let end = End { status: Some(code(0)), failure: Some("x"), last_line: Some("out of memory"), ..End::default() };
    assert_eq!(run.exit(&end), says(ExitReason::Failed, "its stream broke off: out of memory"));
}

#[test]
fn a_program_that_ends_by_itself_is_taken_for_what_it_says_and_how_it_ends() {
    let (finished, line) = (true, Some("oops"));
    let end = |status, failure, is_finished, last_line| End { status, failure, is_finished, last_line };
    let signal = Some(ExitStatus::from_raw(11));
    let failed = |message| says(ExitReason::Failed, message);
    for (end, expected) in [
        (end(Some(code(0)), None, finished, line), (ExitReason::Completed, None)),
        (end(Some(code(0)), None, false, line), failed("it ended before its turn was over: oops")),
        (end(Some(code(0)), Some("no"), finished, line), failed("no")),
        (end(Some(code(3)), None, finished, line), failed("it ended with exit code 3: oops")),
        (end(Some(code(3)), Some("no"), finished, None), failed("no")),
        (end(signal, None, finished, None), failed("it was ended by SIGSEGV")),
        (end(None, None, finished, line), failed("its end could not be observed")),
    ] {
        assert_eq!(Clocked::process().exit(&end), expected, "{end:?}");
    }
    let server = |status, last_line| Clocked::server().exit(&end(status, Some("no"), finished, last_line));
    assert_eq!(server(Some(code(3)), line), failed("the server of opencode ended by itself with exit status: 3: oops"));
    assert_eq!(server(None, None), failed("the server of opencode ended by itself in a way that was not seen"));
}

#[test]
fn the_exit_of_a_process_is_told_and_that_of_a_server_is_nobodys_business() {
    let exits = |run: Clocked, status| {
        let exit = run.life.exit(&End { status, ..End::default() });
        (exit.exit_code, exit.signal)
    };
    assert_eq!(exits(Clocked::process(), Some(code(3))), (Some(3), None));
    assert_eq!(exits(Clocked::process(), Some(ExitStatus::from_raw(15))), (None, Some("SIGTERM".to_owned())));
    assert_eq!(exits(Clocked::server(), Some(code(3))), (None, None));
    assert_eq!(exits(Clocked::server(), Some(ExitStatus::from_raw(15))), (None, None));
}

#[test]
fn a_long_sentence_is_cut_and_a_secret_address_is_not_repeated() {
    let long = "x".repeat(1 << 20);
    let exit = Clocked::process().life.exit(&End { status: Some(code(1)), failure: Some(&long), ..End::default() });
    let message = exit.message.unwrap();
    assert!(message.len() < (4 << 10) + 32 && message.ends_with(" bytes cut]"), "{}", message.len());
    let exit = not_cloned("fatal: https://u:p@h/x not found", "https://u:p@h/x");
    assert_eq!(exit.message.as_deref(), Some("the repository could not be cloned: fatal: <git_url> not found"));
    let exit = with_bound(exit, "no memory".to_owned());
    assert!(exit.message.unwrap().ends_with("<git_url> not found; no memory"));
    let lease_over = StopRequest { cause: StopCause::LeaseOver(Duration::from_secs(2)), ..ASKED };
    let messages = [ASKED, lease_over].map(|order| stopped_while_cloned(order).message.unwrap());
    assert_eq!(messages[0], "it was stopped while its repository was cloned");
    assert_eq!(messages[1], "it was stopped because its town had not asked about it for 2 seconds");
}
