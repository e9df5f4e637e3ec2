//! What lies in the usual files of a HOME is hidden in what agents print.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use townwatch_host::known;
use townwatch_redaction::Redactor;

#[test]
fn what_is_in_the_files_of_a_home_goes_and_is_called_by_them() {
    let home = std::env::temp_dir().join(format!("townwatch-home-{}", std::process::id()));
    let write = |name: &str, text: &str| {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(".netrc", "machine a.example login me password netrc-value-1");
    write(".docker/config.json", r#"{"auths":{"a.example":{"auth":"bWU6ZG9ja2VyLXZhbHVlLTE="}}}"#);
    write("kept/credentials", "[default]\naws_secret_access_key = aws-value-1");
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    std::os::unix::fs::symlink(home.join("kept/credentials"), home.join(".aws/credentials")).unwrap();
    std::fs::create_dir_all(home.join(".npmrc")).unwrap(); // a directory has no lines
    std::fs::create_dir_all(home.join(".codex")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, home.join(".codex/auth.json"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    std::os::unix::fs::symlink("/dev/zero", home.join(".pypirc")).unwrap();
    write(".git-credentials", &format!("{}\nhttps://me:too-far-away@a.example", "x".repeat(64 << 10)));
    let redactor = Redactor::new(known([], &[], Some(&home))).unwrap();
    let text = "netrc-value-1 docker-value-1 bWU6ZG9ja2VyLXZhbHVlLTE= aws-value-1 too-far-away";
    let clean = "‹redacted:.netrc› ‹redacted:.docker/config.json› ‹redacted:.docker/config.json› ‹redacted:.aws/credentials› too-far-away";
    assert_eq!(redactor.text(text), clean);
    assert_eq!(redactor.text(clean), clean, "a mark of a file is one, too");
    std::fs::remove_dir_all(&home).unwrap();
    let redactor = Redactor::new(known([], &[], Some(&home))).unwrap();
    assert_eq!(redactor.text(text), text, "no files are no error");
}
