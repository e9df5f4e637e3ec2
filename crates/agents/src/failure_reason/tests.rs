use super::*;

fn reason(stdout: &str, stderr: &str) -> Option<String> {
    let mut reason = FailureReason::default();
    stdout.split('\n').for_each(|line| reason.end_line(OutputStream::Stdout, line));
    stderr.split('\n').for_each(|line| reason.end_line(OutputStream::Stderr, line));
    reason.line().map(str::to_owned)
}

#[test]
fn the_first_error_is_told() {
    let of_stderr: &[(&str, &str, &str)] = &[
        (
            "cargo",
            "   Compiling calc v0.1.0 (/home/dev/calc)\n\x1b[1m\x1b[33mwarning\x1b[0m\x1b[1m: unused variable: `x`\x1b[0m\n --> src/main.rs:2:9\n\n\x1b[1m\x1b[91merror[E0308]\x1b[0m\x1b[1m: mismatched types\x1b[0m\n --> src/main.rs:3:18\n  |\n3 |     let y: u32 = \"a\";\n\nFor more information about this error, try `rustc --explain E0308`.\nerror: could not compile `calc` (bin \"calc\") due to 1 previous error; 1 warning emitted\n",
            "error[E0308]: mismatched types",
        ),
        (
            "cargo with a bar",
            "    Building [====>        ] 3/10: serde\r\x1b[K\x1b[1m\x1b[91merror\x1b[0m: no matching package named `nothing` found\nlocation searched: crates.io index\nrequired by package `calc v0.1.0`\n",
            "error: no matching package named `nothing` found",
        ),
        (
            "npm",
            "npm warn deprecated inflight@1.0.6: This module is not supported\nnpm error code E404\nnpm error 404 Not Found - GET https://registry.npmjs.org/nothing\nnpm error A complete log of this run can be found in: /home/dev/.npm/_logs/2026-debug-0.log\n",
            "npm error code E404",
        ),
        (
            "Python",
            "Traceback (most recent call last):\n  File \"/home/dev/a.py\", line 3, in <module>\n    main()\n    ~~~~^^\n  File \"/home/dev/a.py\", line 2, in main\n    raise ValueError(\"error: not this\")\nValueError: no such colour: mauve\n",
            "ValueError: no such colour: mauve",
        ),
        (
            "Python without words",
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nKeyboardInterrupt\n",
            "KeyboardInterrupt",
        ),
        (
            "git",
            "Cloning into 'nothing'...\nfatal: repository 'https://example.com/nothing.git/' not found\n",
            "fatal: repository 'https://example.com/nothing.git/' not found",
        ),
        (
            "git push",
            "To example.com:a.git\n ! [rejected]        main -> main (fetch first)\nerror: failed to push some refs to 'example.com:a.git'\nhint: Updates were rejected because the remote contains work that you do not\nhint: See the 'Note about fast-forwards' in 'git push --help' for details.\n",
            "! [rejected]        main -> main (fetch first)",
        ),
        (
            "make",
            "main.c: In function 'main':\nmain.c:3:5: warning: unused variable 'x'\nmain.c:4:12: error: 'y' undeclared (first use in this function)\nmake: *** [Makefile:2: main.o] Error 1\n",
            "main.c:4:12: error: 'y' undeclared (first use in this function)",
        ),
        (
            "make alone",
            "make: *** No rule to make target 'nothing'.  Stop.\n",
            "make: *** No rule to make target 'nothing'.  Stop.",
        ),
        (
            "Node",
            "/home/dev/a.js:1\nthrow new TypeError(\"no\");\n^\n\nTypeError: no\n    at Object.<anonymous> (/home/dev/a.js:1:7)\n    at node:internal/main/run_main_module:36:49\n\nNode.js v22.23.3\n",
            "TypeError: no",
        ),
        (
            "Rust",
            "\nthread 'main' (4242) panicked at src/main.rs:2:5:\nindex out of bounds: the len is 3 but the index is 9\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
            "thread 'main' (4242) panicked at src/main.rs:2:5: index out of bounds: the len is 3 but the index is 9",
        ),
        (
            "Go",
            "# example.com/calc\n./main.go:6:2: undefined: fmt.Printn\n./main.go:7:2: undefined: x\n",
            "./main.go:6:2: undefined: fmt.Printn",
        ),
        (
            "Go at work",
            "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n\t/home/dev/main.go:5 +0x1d\nexit status 2\n",
            "panic: runtime error: index out of range [5] with length 3",
        ),
        (
            "Java",
            "Exception in thread \"main\" java.lang.IllegalStateException: no\n\tat Main.main(Main.java:3)\nCaused by: java.io.IOException: gone\n\t... 1 more\n",
            "Exception in thread \"main\" java.lang.IllegalStateException: no",
        ),
        ("a shell", "sh: 1: nothing: not found\n", "sh: 1: nothing: not found"),
        ("bash", "bash: line 1: nothing: command not found\n", "bash: line 1: nothing: command not found"),
        (
            "ls",
            "ls: cannot access 'nothing': No such file or directory\n",
            "ls: cannot access 'nothing': No such file or directory",
        ),
        (
            "curl",
            "  % Total\n\r  0     0\ncurl: (6) Could not resolve host: nothing.example\n",
            "curl: (6) Could not resolve host: nothing.example",
        ),
        (
            "docker",
            "#5 [2/3] RUN false\n------\nERROR: failed to build: process \"/bin/sh -c false\" did not complete successfully: exit code: 1\n",
            "ERROR: failed to build: process \"/bin/sh -c false\" did not complete successfully: exit code: 1",
        ),
        ("no error that is known", "usage: tool [-x]\ntry tool --help\n\n", "try tool --help"),
        ("words that only look like it", "0 errors\nno error found\nErrors are fine\ndone\n", "done"),
        ("a bar", "10%\r50%\r51%", "51%"),
    ];
    for (what, stderr, expected) in of_stderr {
        assert_eq!(reason("fine so far\n", stderr).as_deref(), Some(*expected), "{what}");
    }
}

#[test]
fn standard_output_tells_where_standard_error_does_not() {
    let cases: &[(&str, &str, &str, &str)] = &[
        (
            "tsc",
            "src/a.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.\nsrc/b.ts(1,1): error TS2304: Cannot find name 'x'.\n",
            "",
            "src/a.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.",
        ),
        (
            "tsc in colours, under npm",
            "\x1b[96msrc/a.ts\x1b[0m:\x1b[93m3\x1b[0m:\x1b[93m7\x1b[0m - \x1b[91merror\x1b[0m\x1b[90m TS2322: \x1b[0mType 'string' is not assignable.\n\nFound 1 error.\n",
            "npm error Lifecycle script `build` failed with error:\nnpm error code 2\n",
            "src/a.ts:3:7 - error TS2322: Type 'string' is not assignable.",
        ),
        (
            "pytest",
            "============ test session starts ============\ncollected 2 items\n\ntest_a.py .F   [100%]\n\n=========== FAILURES ===========\n____ test_b ____\n>       assert 1 == 2\nE       assert 1 == 2\n\ntest_a.py:5: AssertionError\n======= short test summary info =======\n\x1b[31mFAILED\x1b[0m test_a.py::\x1b[1mtest_b\x1b[0m - assert 1 == 2\n==== 1 failed, 1 passed in 0.02s ====\n",
            "",
            "FAILED test_a.py::test_b - assert 1 == 2",
        ),
        (
            "ESLint",
            "\n/home/dev/a.js\n  1:7  warning  'y' is never used  no-unused-vars\n  3:5  error  'x' is not defined  no-undef\n\n✖ 2 problems (1 error, 1 warning)\n",
            "",
            "3:5  error  'x' is not defined  no-undef",
        ),
        (
            "cargo test",
            "running 1 test\ntest adds ... FAILED\n\nfailures:\n\n---- adds stdout ----\n\nthread 'adds' (7) panicked at src/lib.rs:9:9:\nassertion `left == right` failed\n  left: 3\n",
            "   Compiling calc v0.1.0\nerror: test failed, to rerun pass `--lib`\n",
            "thread 'adds' (7) panicked at src/lib.rs:9:9: assertion `left == right` failed",
        ),
        (
            "go test",
            "--- FAIL: TestAdd (0.00s)\n    add_test.go:8: got 3\nFAIL\nFAIL\texample.com/calc\t0.002s\n",
            "",
            "--- FAIL: TestAdd (0.00s)",
        ),
        ("only standard output", "step 1\nstep 2\n", "", "step 2"),
        ("only standard error has words", "step 1\n", "no luck\n", "no luck"),
    ];
    for (what, stdout, stderr, expected) in cases {
        assert_eq!(reason(stdout, stderr).as_deref(), Some(*expected), "{what}");
    }
    assert_eq!(reason("", "\n  \n"), None);
}

#[test]
fn a_line_that_is_told_in_parts_is_one_line() {
    let mut reason = FailureReason::default();
    reason.part(OutputStream::Stderr, "    Building [=> ] 1/9\r");
    reason.part(OutputStream::Stderr, "\x1b[Kerr");
    reason.end_line(OutputStream::Stderr, "or: no");
    assert_eq!(reason.line(), Some("error: no"));
}

#[test]
fn memory_is_bounded() {
    let mut reason = FailureReason::default();
    for _ in 0..10_000 {
        reason.part(OutputStream::Stderr, &"50%\r".repeat(100));
        reason.part(OutputStream::Stdout, &"x".repeat(100));
    }
    assert!(reason.stderr.open.len() <= LINE_BYTES_MAX && reason.stdout.open.len() <= LINE_BYTES_MAX);
    reason.end_line(OutputStream::Stderr, "error: no");
    assert_eq!(reason.line(), Some("error: no"));
    reason.end_line(OutputStream::Stdout, &"y".repeat(1 << 20));
    assert!(reason.stdout.last.unwrap().len() <= KEPT_BYTES_MAX + 40);
}
