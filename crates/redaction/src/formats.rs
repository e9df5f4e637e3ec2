//! Formats of well-known tokens. Where a service documents none, the format is that of the rules of gitleaks.

use std::iter;
use std::ops::{Range, RangeInclusive};

use super::Candidate;
use super::escapes::begins_word;

/// A format of secrets.
#[derive(Debug)]
pub(super) struct SecretFormat {
    /// The name of the format in marks and notices.
    pub(super) kind: &'static str,
    /// The beginning that shows where such a secret may be.
    pub(super) begins: &'static str,
    is: SecretShape,
}

/// The text after the beginning.
#[derive(Debug)]
enum SecretShape {
    /// A number of characters of one kind. The beginning belongs to the secret.
    Token(fn(u8) -> bool, RangeInclusive<usize>),
    /// The same, with at least one letter and one digit, because ordinary words have the same beginning.
    MixedToken(fn(u8) -> bool, RangeInclusive<usize>),
    /// Three or five parts with dots between them (RFC 7519).
    Jwt,
    /// The token after `Bearer`.
    Bearer,
    /// The base64 after `Authorization: Basic`.
    Basic,
    /// An address with a password.
    Address,
    /// The value of AWS's secret key, which has no beginning of its own.
    AwsSecretKey,
}

use SecretShape::{Address, AwsSecretKey, Basic, Bearer, Jwt, MixedToken, Token};

/// The characters of a token that are read, 1 MiB. A longer token of a well-known beginning is not recognised; of a longer
/// bearer token this much is hidden.
const TOKEN_BYTES_MAX: usize = 1 << 20;
/// The part of a token in which a letter and a digit must both occur, 128 bytes. Without them it is an ordinary word.
const MIXED_WITHIN_BYTES: usize = 128;
/// The length of base64 text, 256 bytes, after which a possible token counts as a part of that text and not as a
/// secret.
const BASE64_BYTES: usize = 256;
/// The part of an address in which a password is looked for, 512 bytes.
const ADDRESS_BYTES_MAX: usize = 512;

macro_rules! formats {
    ($($kind:literal $($begins:literal),+ => $shape:expr;)*) => {
        /// All formats.
        pub(super) const FORMATS: &[SecretFormat] = &[$($(SecretFormat { kind: $kind, begins: $begins, is: $shape },)+)*];
    };
}

const fn at_least(bytes: usize) -> RangeInclusive<usize> {
    bytes..=TOKEN_BYTES_MAX
}

formats! {
    "anthropic_key" "sk-ant-" => Token(word, at_least(32));
    "openai_key" "sk-proj-", "sk-svcacct-", "sk-admin-" => Token(word, at_least(32));
    "openrouter_key" "sk-or-v1-" => Token(hex, at_least(64));
    "api_key" "sk-" => MixedToken(alphanumeric, at_least(32)); // OpenAI's first format, and those of services like it
    "github_token" "ghp_", "gho_", "ghu_", "ghs_", "ghr_" => Token(alphanumeric, at_least(36));
    "github_token" "github_pat_" => Token(word, at_least(60));
    "gitlab_token" "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glft-", "glsoat-", "gloas-", "glffct-", "glagent-"
        => MixedToken(word_or_dot, at_least(20));
    "slack_token" "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxe-", "xoxe.xoxb-", "xoxe.xoxp-", "xapp-"
        => MixedToken(word, at_least(16));
    "slack_webhook" "hooks.slack.com/services/", "hooks.slack.com/workflows/", "hooks.slack.com/triggers/"
        => Token(path, at_least(40));
    "discord_webhook" "discord.com/api/webhooks/" => Token(path, at_least(80));
    "aws_key" "AKIA", "ASIA", "ABIA", "ACCA" => Token(base32, 16..=16);
    "aws_key" "aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "aws_secret_key", "SecretAccessKey", "secretAccessKey", "awsSecretAccessKey"
        => AwsSecretKey;
    "aws_key" "ABSK" => MixedToken(base64, 109..=271);
    "google_key" "AIza" => Token(word, 35..=35);
    "google_token" "ya29." => MixedToken(word, at_least(30));
    "google_secret" "GOCSPX-" => Token(word, at_least(28));
    "npm_token" "npm_" => Token(alphanumeric, at_least(36));
    "pypi_token" "pypi-AgEI" => Token(word, at_least(50));
    "rubygems_token" "rubygems_" => Token(hex, at_least(48));
    "crates_token" "cio" => MixedToken(alphanumeric, 32..=32);
    "docker_token" "dckr_pat_", "dckr_oat_" => Token(word, at_least(20));
    "stripe_key" "sk_live_", "sk_test_", "rk_live_", "rk_test_" => Token(alphanumeric, at_least(16));
    "stripe_key" "whsec_" => Token(base64, at_least(24));
    "huggingface_token" "hf_" => Token(alphanumeric, 34..=40);
    "huggingface_token" "api_org_" => Token(alphanumeric, 34..=40);
    "groq_key" "gsk_" => Token(alphanumeric, at_least(48));
    "xai_key" "xai-" => Token(alphanumeric, at_least(70));
    "perplexity_key" "pplx-" => Token(alphanumeric, at_least(40));
    "replicate_token" "r8_" => Token(alphanumeric, 37..=40);
    "sendgrid_key" "SG." => MixedToken(word_or_dot, 66..=70);
    "digitalocean_token" "dop_v1_", "doo_v1_", "dor_v1_" => Token(hex, at_least(64));
    "databricks_token" "dapi" => Token(hex, 32..=32);
    "heroku_key" "HRKU-AA" => Token(word, at_least(58));
    "fly_token" "fo1_", "fm1a_", "fm1r_", "fm2_" => Token(base64url, at_least(43));
    "vault_token" "hvs.", "hvb." => MixedToken(word, at_least(24));
    "supabase_key" "sbp_" => Token(hex, at_least(40));
    "supabase_key" "sb_secret_" => Token(word, at_least(22));
    "linear_key" "lin_api_" => Token(alphanumeric, at_least(40));
    "notion_token" "ntn_" => Token(alphanumeric, at_least(43));
    "postman_key" "PMAK-" => MixedToken(word, at_least(59));
    "pulumi_token" "pul-" => Token(hex, 40..=40);
    "shopify_token" "shpat_", "shpca_", "shppa_", "shpss_" => Token(hex, at_least(32));
    "grafana_token" "glsa_" => Token(word, at_least(41));
    "grafana_token" "glc_" => Token(base64, at_least(32));
    "sentry_token" "sntrys_" => Token(base64url, at_least(60));
    "sentry_token" "sntryu_" => Token(hex, at_least(64));
    "age_key" "AGE-SECRET-KEY-1" => Token(alphanumeric, 58..=58);
    "jwt" "eyJ" => Jwt;
    "bearer" "Bearer ", "bearer ", "BEARER " => Bearer;
    "basic_auth" "Basic ", "basic ", "BASIC " => Basic;
    "password" "://" => Address;
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn word_or_dot(byte: u8) -> bool {
    word(byte) || byte == b'.'
}

fn path(byte: u8) -> bool {
    word(byte) || byte == b'/'
}

fn hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

fn base32(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn base64url(byte: u8) -> bool {
    base64(byte) || word(byte)
}

/// The characters of a token in a header (RFC 6750).
fn token68(byte: u8) -> bool {
    base64url(byte) || matches!(byte, b'.' | b'~')
}

impl SecretFormat {
    /// Whether the beginning of this format can stand at a place.
    pub(super) fn can_begin(&self, text: &[u8], at: usize) -> bool {
        match &self.is {
            Address => true,
            Token(..) | AwsSecretKey => begins_word(text, at, alphanumeric),
            MixedToken(..) | Jwt | Bearer | Basic => begins_word(text, at, word),
        }
    }

    /// The candidate after a beginning that was found.
    pub(super) fn candidate(&self, text: &[u8], hit: Range<usize>) -> Candidate<'static> {
        if !self.can_begin(text, hit.start) {
            return Candidate::default();
        }
        let (secret, seen) = match &self.is {
            Token(of, bytes) => {
                let body = run(text, hit.end, *of, *bytes.end());
                (bytes.contains(&body.len()).then_some(hit.start..body.end), body)
            }
            MixedToken(of, bytes) => {
                let body = mixed_run(text, hit.end, *of, *bytes.end());
                let is_secret = bytes.contains(&body.len()) && is_mixed(&text[body.clone()]);
                (is_secret.then_some(hit.start..body.end), body)
            }
            Jwt => jwt(text, hit.start),
            Bearer => {
                let body = run(text, hit.end, token68, TOKEN_BYTES_MAX);
                let is_secret = body.len() >= 16 && is_mixed(&text[body.clone()]);
                (is_secret.then_some(body.clone()), body)
            }
            Basic => {
                let body = run(text, hit.end, base64, TOKEN_BYTES_MAX);
                let is_secret = body.len() >= 8 && is_authorization(&text[..hit.start]);
                (is_secret.then_some(body.clone()), body)
            }
            Address => address(text, hit.end),
            AwsSecretKey => aws_secret_key(text, hit.end),
        };
        let secret = secret.filter(|_| !is_within_base64(text, hit.start));
        let is_too_long = matches!(&self.is, Token(_, bytes) | MixedToken(_, bytes) if seen.len() > *bytes.end());
        Candidate {
            is_open: seen.end == text.len(),
            end: if secret.is_some() || is_too_long { seen.end } else { hit.end },
            found: secret.map(|range| (range, self.kind)),
        }
    }
}

/// Whether a place is inside a long base64 text. In a picture some characters look like a token by chance, and a
/// picture without them could not be shown.
fn is_within_base64(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(BASE64_BYTES).map(|from| &text[from..at]);
    before.is_some_and(|before| before.iter().rev().all(|byte| base64(*byte)))
}

/// The secret, if there is one, and the part of the text that was read. If that part reaches the end of the text, more
/// text could change the result.
type Examination = (Option<Range<usize>>, Range<usize>);

/// The run of characters of one kind from a place on. It may be one longer than `bytes_max`, which shows that it is too
/// long.
fn run(text: &[u8], from: usize, of: fn(u8) -> bool, bytes_max: usize) -> Range<usize> {
    let length = text[from..].iter().take(bytes_max.saturating_add(1)).take_while(|byte| of(**byte)).count();
    from..from + length
}

/// The run as [`run`] gives it, but only [`MIXED_WITHIN_BYTES`] of it where these have no letter or no digit. Otherwise
/// a text of many beginnings would be read again for each of them.
fn mixed_run(text: &[u8], from: usize, of: fn(u8) -> bool, bytes_max: usize) -> Range<usize> {
    let first = run(text, from, of, bytes_max.min(MIXED_WITHIN_BYTES));
    if is_mixed(&text[first.clone()]) { run(text, from, of, bytes_max) } else { first }
}

fn is_mixed(body: &[u8]) -> bool {
    body.iter().any(u8::is_ascii_digit) && body.iter().any(u8::is_ascii_alphabetic)
}

fn is_authorization(before: &[u8]) -> bool {
    let near = before.trim_ascii_end().strip_suffix(b":").map(|name| &name[name.len().saturating_sub(13)..]);
    near.is_some_and(|name| name.eq_ignore_ascii_case(b"authorization"))
}

fn jwt(text: &[u8], start: usize) -> Examination {
    let part = |from: usize| run(text, from, word, TOKEN_BYTES_MAX);
    let next = |before: &Range<usize>| (text.get(before.end) == Some(&b'.')).then(|| part(before.end + 1));
    let parts: Vec<_> = iter::successors(Some(part(start)), next).take(5).collect();
    let seen = start..parts.last().map_or(start, |last| last.end);
    let [header, payload, signature, more @ ..] = &parts[..] else { return (None, seen) };
    let is_jwt =
        header.len() >= 8 && signature.len() >= 8 && (more.len() == 2 || text[payload.clone()].starts_with(b"eyJ"));
    if !is_jwt {
        return (None, seen);
    }
    let all = run(text, start, word_or_dot, TOKEN_BYTES_MAX);
    (Some(all.clone()), all)
}

/// The password in an address: `https://user:password@host`.
fn address(text: &[u8], from: usize) -> Examination {
    let authority = |byte: u8| byte.is_ascii_graphic() && !b"/?#\"'\\<>`(){}[]|,;$".contains(&byte);
    let all = run(text, from, authority, ADDRESS_BYTES_MAX);
    let password = text[all.clone()].iter().rposition(|byte| *byte == b'@').and_then(|at| {
        let colon = text[all.start..all.start + at].iter().position(|byte| *byte == b':')?;
        Some(all.start + colon + 1..all.start + at)
    });
    (password.filter(|password| password.len() >= 3), all)
}

fn aws_secret_key(text: &[u8], from: usize) -> Examination {
    let between = |byte: u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'=' | b':' | b'>');
    let gap = run(text, from, between, 12);
    let body = run(text, gap.end, base64, 40);
    let is_secret = !gap.is_empty() && body.len() == 40;
    (is_secret.then_some(body.clone()), gap.start..body.end)
}
