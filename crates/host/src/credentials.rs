//! Secrets in the usual credential files of a HOME. An agent with this HOME can read and print them.
//!
//! Only the values are read, once, when a run begins. A missing file, or one of another form, has none.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use percent_encoding::percent_decode_str;
use rustix::fs::OFlags;
use serde_json::Value;
use townwatch_protocol::runtime::Runtime;
use townwatch_redaction::is_secret_name;

/// The bytes of a file that are read, 64 KiB. A larger file is no list of passwords.
const FILE_BYTES_MAX: u64 = 64 << 10;
/// The values of all files together, 200. Beyond it the values of the last files are not hidden.
const VALUES_MAX: usize = 200;
/// The names that mean a secret only in these files: in those of Docker and of OpenCode's logins.
const NAMES: &[&str] = &["auth", "access", "refresh"];

/// The form of a file.
#[derive(Debug, Clone, Copy)]
enum CredentialFileFormat {
    /// `name = value` or `name: value` in each line, in any section.
    Lines,
    /// `machine host login name password word`.
    Netrc,
    /// `https://user:password@host` in each line.
    Addresses,
    Json,
}

/// The files of programs that agents use, as paths below HOME. The paths are also the names of their secrets.
const FILES: &[(&str, CredentialFileFormat)] = &[
    (".netrc", CredentialFileFormat::Netrc),
    (".git-credentials", CredentialFileFormat::Addresses),
    (".npmrc", CredentialFileFormat::Lines),
    (".yarnrc.yml", CredentialFileFormat::Lines),
    (".pypirc", CredentialFileFormat::Lines),
    (".cargo/credentials.toml", CredentialFileFormat::Lines),
    (".docker/config.json", CredentialFileFormat::Json),
    (".aws/credentials", CredentialFileFormat::Lines),
    (".kube/config", CredentialFileFormat::Lines),
    (".config/gh/hosts.yml", CredentialFileFormat::Lines),
    (".config/gcloud/application_default_credentials.json", CredentialFileFormat::Json),
];

/// The values of the files in this HOME, each with its file's path.
pub(crate) fn of(home: &Path) -> Vec<(&'static str, String)> {
    let values = FILES.iter().copied().chain(logins()).flat_map(|(name, shape)| {
        let values = read(&home.join(name)).map(|text| values(shape, &text)).unwrap_or_default();
        values.into_iter().map(move |value| (name, value))
    });
    values.take(VALUES_MAX).collect()
}

/// The login files of the agents' own programs.
fn logins() -> impl Iterator<Item = (&'static str, CredentialFileFormat)> {
    let programs = Runtime::ALL.iter().filter_map(|runtime| runtime.program());
    programs.flat_map(|program| program.home_files.login).map(|name| (*name, CredentialFileFormat::Json))
}

/// The text of a file, also through a symbolic link. It is opened so that a pipe with this name does not block.
fn read(path: &Path) -> Option<String> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn values(shape: CredentialFileFormat, text: &str) -> Vec<String> {
    match shape {
        CredentialFileFormat::Lines => text.lines().filter_map(line).collect(),
        CredentialFileFormat::Netrc => {
            let words: Vec<_> = text.split_whitespace().collect();
            words.windows(2).filter(|two| two[0] == "password").map(|two| two[1].trim_matches('"').to_owned()).collect()
        }
        CredentialFileFormat::Addresses => text.lines().flat_map(address).collect(),
        CredentialFileFormat::Json => {
            let mut values = Vec::new();
            json(&serde_json::from_str(text).unwrap_or_default(), &mut values);
            values
        }
    }
}

fn line(line: &str) -> Option<String> {
    // `//registry.example.org/:_authToken=…` has a colon in its name, and base64 a `=` in its value.
    let (name, value) = match (line.find('='), line.find(": ")) {
        (Some(equals), colon) if colon.is_none_or(|colon| equals < colon) => line.split_once('=')?,
        _ => line.split_once(": ")?,
    };
    let value = value.trim().trim_matches(['"', '\'']);
    let is_variable = value.starts_with("${"); // which has the value, and is known itself
    (is_secret_name(name.trim().trim_matches('"')) && !is_variable).then(|| value.to_owned())
}

/// The password of an address, as written and percent-decoded.
fn address(line: &str) -> Vec<String> {
    let parts = line.trim().split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')?.0.split_once(':'));
    let Some((_, password)) = parts else { return Vec::new() };
    vec![password.to_owned(), percent_decode_str(password).decode_utf8_lossy().into_owned()]
}

/// The texts under names that look secret, at any depth; `serde_json` bounds the depth.
fn json(value: &Value, values: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if is_secret_name(name) || NAMES.contains(&name.as_str()) => {
                        values.extend(password_within(text));
                        values.push(text.clone());
                    }
                    field => json(field, values),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| json(item, values)),
        _ => {}
    }
}

/// The password in Docker's `auth`, which is the base64 of `user:password`.
fn password_within(text: &str) -> Option<String> {
    let decoded = String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok()?;
    Some(decoded.split_once(':')?.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_each_shape() {
        let of = |shape, text| values(shape, text);
        assert_eq!(
            of(
                CredentialFileFormat::Netrc,
                "machine a.example login me password one-1\n  machine b.example\npassword \"two-2\" login me"
            ),
            ["one-1", "two-2"]
        );
        assert_eq!(
            of(CredentialFileFormat::Addresses, "https://me:p%40ss@a.example\nnonsense\nhttps://a.example/x"),
            ["p%40ss", "p@ss"]
        );
        let lines = "//registry.example.org/:_authToken=one-1\nregistry=https://a.example\n_password = \"two-2\"\n\
                     [default]\naws_access_key_id = x\naws_secret_access_key = three-3\n    oauth_token: four-4==\n\
                     token=${FROM_A_VARIABLE}\n# password\n";
        assert_eq!(of(CredentialFileFormat::Lines, lines), ["one-1", "two-2", "three-3", "four-4=="]);
        let docker = r#"{"auths":{"https://a.example/v1/":{"auth":"bWU6b25lLTE="}},"credsStore":"x"}"#;
        assert_eq!(of(CredentialFileFormat::Json, docker), ["one-1", "bWU6b25lLTE="]);
        let logins =
            r#"{"claudeAiOauth":{"accessToken":"one-1","expiresAt":1},"list":[{"refresh":"two-2","type":"oauth"}]}"#;
        assert_eq!(of(CredentialFileFormat::Json, logins), ["one-1", "two-2"]);
        assert!(of(CredentialFileFormat::Json, "{\"auth\":").is_empty());
    }
}
