//! Patterns by which programs report an error.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// The kind of an error line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorLineKind {
    /// The cause itself.
    Cause,
    /// The beginning of a list of calls, after which the cause comes (Python).
    Traceback,
    /// The failure of another command, which has printed its own cause.
    Consequence,
}

/// Lines which only say that another command failed: make, cargo, npm, yarn, pnpm, ninja, pre-commit.
const CONSEQUENCES: &[&str] = &[
    "error: could not compile",
    "error: test failed, to rerun",
    "error: script ",
    "error: build failed",
    "error: aborting due to",
    "error command failed",
    "npm error code elifecycle",
    "npm err! code elifecycle",
    "npm error lifecycle script",
    "npm error command",
    "npm error errno",
    "npm error location",
    "npm error path",
    "npm error syscall",
    "npm error workspace",
    "elifecycle",
    "ninja: build stopped",
    "build failed",
];

/// The beginnings of lines with a cause, in lower case.
const BEGINNINGS: &[&str] = &[
    "error:",
    "error[",
    "error(",
    "error -",
    "[error]",
    "[fatal]",
    "fatal:",
    "fatal error",
    "fatal ",
    "failed to ",
    "failure:",
    "panic:",
    "npm error",
    "npm err!",
    "err!",
    "cmake error",
    "ninja: error",
    "--- fail:",
    "! [rejected]",
    "! [remote rejected]",
    "conflict (",
    "unhandled exception",
    "uncaught ",
    "exception in thread",
    "segmentation fault",
    "undefined reference",
    "x error",
    "✘ [error]",
];

/// The parts of lines with a cause, in lower case: compilers, shells, linkers, logs.
const PARTS: &[&str] = &[
    ": error: ",
    ": fatal error: ",
    ": error ts",
    " - error ts",
    ": error cs",
    ": error c",
    " panicked at ",
    ": command not found",
    "command not found: ",
    ": no such file or directory",
    ": permission denied",
    ": undefined reference to ",
    "level=error",
    "level=fatal",
];

/// Beginnings that count only in this case: a failed test, an entry of a log.
const CAPITALS: &[&str] = &["FAILED ", "FAILED:", "FAIL ", "FAIL\t", "FAIL:", "ERROR ", "ERROR:", "FATAL ", "Error "];

/// Texts of which every error line contains one, in any case. Most other lines contain none.
const SIGNS: &[&str] = &[
    "error",
    "err!",
    "exception",
    "fail",
    "fatal",
    "fault",
    "panic",
    "traceback",
    "conflict (",
    "denied",
    "elifecycle",
    "keyboardinterrupt",
    "no such file",
    "not found",
    "rejected",
    "stopped",
    "systemexit",
    "uncaught",
    "undefined",
    "curl: (",
    ".go:",
];

/// Whether a line may be about an error, by a quick check.
fn may_be_error(line: &str) -> bool {
    static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(SIGNS).ok()
    });
    FINDER.as_ref().is_none_or(|finder| finder.is_match(line))
}

/// The kind of an error line; `None` for another line. The line has no white space around it.
pub(super) fn classify(line: &str) -> Option<ErrorLineKind> {
    if !may_be_error(line) {
        return None;
    }
    if line.starts_with("Traceback (most recent call last)") {
        return Some(ErrorLineKind::Traceback);
    }
    let small = line.to_lowercase();
    if small.starts_with("warning") || small.starts_with("npm warn") || small.contains(": warning: ") {
        return None;
    }
    if is_make(&small) || is_npm(&small) || CONSEQUENCES.iter().any(|beginning| small.starts_with(beginning)) {
        return Some(ErrorLineKind::Consequence);
    }
    let is_cause = BEGINNINGS.iter().any(|beginning| small.starts_with(beginning))
        || PARTS.iter().any(|part| small.contains(part))
        || CAPITALS.iter().any(|beginning| line.starts_with(beginning))
        || line.contains(" ERROR ")
        || is_exception(line)
        || is_place(&small)
        || is_shell(&small)
        || is_curl(&small);
    is_cause.then_some(ErrorLineKind::Cause)
}

/// A result line of make: `make: *** [Makefile:2: all] Error 1`. But `make: *** No rule to make target 'x'` is a cause.
fn is_make(small: &str) -> bool {
    let Some((name, rest)) = small.split_once(": *** ") else { return false };
    let is_make = name.split('[').next().is_some_and(|name| name.ends_with("make"));
    is_make && rest.contains("] error ")
}

/// A result line of npm: `npm error code 2`, the exit code of its script. But `npm error code E404` is a cause.
fn is_npm(small: &str) -> bool {
    let code = small.strip_prefix("npm error code ").or_else(|| small.strip_prefix("npm err! code "));
    code.is_some_and(is_number)
}

/// `ValueError: …`, `java.lang.IllegalStateException: …`, `AssertionError [ERR_ASSERTION]: …`.
fn is_exception(line: &str) -> bool {
    let name = line.split(": ").next().unwrap_or_default().trim_end_matches(':');
    let name = name.split(" [").next().unwrap_or_default();
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|one| one.is_alphanumeric() || one == '_' || one == '$');
    let has_message = line.len() > name.len();
    let ends = ["Error", "Exception", "KeyboardInterrupt", "SystemExit", "Panic", "Fault"];
    has_message
        && name.split(['.', ':']).filter(|part| !part.is_empty()).all(is_name)
        && ends.iter().any(|end| name.ends_with(end))
}

/// A compiler's or linter's line about a place: `./main.go:5:2: undefined: x` (Go names no kind), `3:5  error  …
/// no-undef`.
fn is_place(small: &str) -> bool {
    let mut parts = small.splitn(4, ':');
    let (Some(file), Some(line), Some(column), Some(_)) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        let mut words = small.split_whitespace();
        let place = words.next().and_then(|place| place.split_once(':'));
        return place.is_some_and(|(line, column)| is_number(line) && is_number(column))
            && words.next() == Some("error");
    };
    file.strip_suffix(".go").is_some() && is_number(line) && is_number(column)
}

/// `sh: 1: tool: not found`.
fn is_shell(small: &str) -> bool {
    small.ends_with(": not found") && small.matches(": ").count() >= 2
}

/// `curl: (6) Could not resolve host: …`.
fn is_curl(small: &str) -> bool {
    small.strip_prefix("curl: (").and_then(|rest| rest.split_once(')')).is_some_and(|(number, _)| is_number(number))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_has_a_sign() {
        let patterns = [CONSEQUENCES, BEGINNINGS, PARTS, CAPITALS].concat();
        let others = [
            "Traceback (most recent call last):",
            "make: *** [Makefile:2: all] Error 1",
            "npm error code 2",
            "KeyboardInterrupt: ",
            "SystemExit: 2",
            "runtime.Panic: x",
            "a.b.SegFault: x",
            "./main.go:5:2: undefined: x",
            "./main.go:5:2: missing return",
            "3:5  error  'x' is not defined  no-undef",
            "sh: 1: tool: not found",
            "curl: (6) Could not resolve host: x",
        ];
        for line in others {
            assert!(classify(line).is_some(), "{line}");
        }
        for pattern in patterns.into_iter().chain(others) {
            assert!(may_be_error(pattern), "{pattern}");
        }
        assert!(!may_be_error("Compiling serde v1.0.0"));
    }
}
