//! Secrets in everything that agents write, and what only looks like one.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

mod formats;
mod parts;
#[path = "../reading/mod.rs"]
mod reading;
mod values;

use base64::prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE as URL_SAFE, Engine};
use townwatch_agents::redact::{Redactor, SecretValues};

/// Letters and digits in no order that a person would see.
fn body(bytes: usize) -> String {
    "q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE1oQx5iCvM".chars().cycle().take(bytes).collect()
}

fn hex(bytes: usize) -> String {
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c".chars().cycle().take(bytes).collect()
}

fn key(lines: &[&str]) -> String {
    let label = "RSA PRIVATE KEY-----"; // in two parts, so that no scanner takes this file for one with a key
    format!("-----BEGIN {label}\n{}\n-----END {label}", lines.join("\n"))
}

/// Secrets by the kind that they are called by.
fn secrets() -> Vec<(&'static str, String)> {
    let of = |begins: &str, rest: String| format!("{begins}{rest}");
    vec![
        ("anthropic_key", of("sk-ant-", format!("api03-{}AA", body(93)))),
        ("openai_key", of("sk-proj-", body(120))),
        ("openai_key", of("sk-svcacct-", body(74))),
        ("openrouter_key", of("sk-or-v1-", hex(64))),
        ("api_key", of("sk-", body(48))),
        ("api_key", of("sk-", hex(32))),
        ("github_token", of("ghp_", body(36))),
        ("github_token", of("ghs_", body(36))),
        ("github_token", of("github_pat_", body(82))),
        ("gitlab_token", of("glpat-", body(20))),
        ("gitlab_token", of("glpat-", format!("{}.01.{}", body(27), "0w1a2b3c4"))),
        ("slack_token", of("xoxb-", format!("123456789012-1234567890123-{}", body(24)))),
        ("slack_token", of("xapp-", format!("1-A0B1C2D3E4F-1234567890123-{}", hex(64)))),
        ("slack_webhook", of("hooks.slack.com/services/", format!("T0123ABCD/B0123ABCD/{}", body(24)))),
        ("aws_key", of("AKIA", "Y34FZKBOKMUTVV7A".into())),
        ("google_key", of("AIza", body(35))),
        ("google_token", of("ya29.", body(60))),
        ("npm_token", of("npm_", body(36))),
        ("pypi_token", of("pypi-AgEI", format!("cHlwaS5vcmc{}", body(60)))),
        ("docker_token", of("dckr_pat_", body(27))),
        ("stripe_key", of("sk_live_", body(24))),
        ("stripe_key", of("rk_test_", body(99))),
        ("huggingface_token", of("hf_", "abcdefghijklmnopqrstuvwxyzABCDEFGH".into())),
        ("groq_key", of("gsk_", body(52))),
        ("xai_key", of("xai-", body(80))),
        ("sendgrid_key", of("SG.", format!("{}.{}", body(22), body(43)))),
        ("digitalocean_token", of("dop_v1_", hex(64))),
        ("databricks_token", of("dapi", hex(32))),
        ("vault_token", of("hvs.", body(95))),
        ("shopify_token", of("shpat_", hex(32))),
        ("age_key", of("AGE-SECRET-KEY-1", body(58).to_uppercase())),
        ("jwt", format!("eyJ{}.eyJ{}.{}", body(33), body(60), body(43))),
        ("private_key", key(&[&body(64), &body(64), &body(20)])),
    ]
}

fn redactor() -> Redactor {
    Redactor::new(SecretValues::default()).unwrap()
}

fn mark(kind: &str) -> String {
    format!("‹redacted:{kind}›")
}

fn of(variables: &[(&str, &str)]) -> Redactor {
    let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Redactor::new(SecretValues::of(owned, &[])).unwrap()
}

/// Base64 as everybody writes it.
fn base64(text: &str, is_url: bool, is_padded: bool) -> String {
    let engine = if is_url { URL_SAFE } else { STANDARD };
    let written = engine.encode(text);
    if is_padded { written } else { written.trim_end_matches('=').to_owned() }
}
