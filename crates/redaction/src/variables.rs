//! Variables that hold secrets, recognised by their names.

/// The endings of names whose values are always secret.
const ENDS: &[&str] = &["TOKEN", "KEY", "SECRET", "PASS", "_PAT", "_PWD", "_AUTH", "CREDENTIAL", "CREDENTIALS"];
/// The parts of names whose values are always secret.
const PARTS: &[&str] = &["PASSWORD", "PASSWD", "PASSPHRASE", "PRIVATE_KEY"];
/// Words that secrets and settings share: `SEED` of a wallet, or of a random number.
const WORDS: &[&str] =
    &["SEED", "COOKIE", "COOKIES", "DSN", "CONNECTION", "CONNECTIONSTRING", "CONNECTIONSTRINGS", "WEBHOOK", "WEBHOOKS"];
/// The last words of settings' names.
const SETTINGS: &[&str] =
    &["NAME", "DOMAIN", "HOST", "PATH", "FILE", "DIR", "TIMEOUT", "TYPE", "MODE", "EVENTS", "DRIVER"];

/// Whether every value of a variable of this name is secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    !is_public(&name) && (ENDS.iter().any(|end| name.ends_with(end)) || PARTS.iter().any(|part| name.contains(part)))
}

/// Whether a variable holds a secret.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    is_secret_name(name) || (may_be_secret_name(name) && !is_number(value))
}

fn may_be_secret_name(name: &str) -> bool {
    let words = words(name);
    let is_setting = words.last().is_some_and(|last| SETTINGS.contains(&last.as_str()));
    !is_public(&name.to_ascii_uppercase()) && !is_setting && words.iter().any(|word| WORDS.contains(&word.as_str()))
}

fn is_public(upper_name: &str) -> bool {
    upper_name.contains("PUBLIC") || upper_name.contains("PUBLISHABLE")
}

/// The words of a name. `mongoConnectionString` and `MONGO_CONNECTION_STRING` have the same ones.
fn words(name: &str) -> Vec<String> {
    let (mut words, mut before) = (vec![String::new()], ' ');
    for one in name.chars() {
        if !one.is_ascii_alphanumeric() || (before.is_ascii_lowercase() && one.is_ascii_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| one.is_ascii_alphanumeric()) {
            word.push(one.to_ascii_uppercase());
        }
        before = one;
    }
    words
}

fn is_number(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit() || b" +-._,:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_secret() {
        for name in [
            "GITHUB_TOKEN",
            "ANTHROPIC_API_KEY",
            "apikey",
            "CLIENT_SECRET",
            "DB_PASSWORD",
            "PASSWORD_2",
            "PGPASS",
            "GH_PAT",
            "AWS_SECRET_ACCESS_KEY",
            "SSH_PRIVATE_KEY_1",
            "token",
            "GOOGLE_CREDENTIALS",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["PATH", "KEYBOARD", "STRIPE_PUBLIC_KEY", "TOKENS_MAX", "SSH_AUTH_SOCK", "MONKEYS", "COMPASS_HOME", ""]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn names_that_look_secret_unless_the_value_is_a_number() {
        for name in [
            "WALLET_SEED",
            "SESSION_COOKIE",
            "cookies",
            "SENTRY_DSN",
            "MONGO_CONNECTION",
            "AZURE_STORAGE_CONNECTION_STRING",
            "ConnectionStrings__Default",
            "connectionString",
            "SLACK_WEBHOOK_URL",
            "deployWebhook",
        ] {
            assert!(is_secret(name, "abandon ability able") && !is_secret_name(name), "{name}");
            assert!(!is_secret(name, "30000000"), "{name}");
        }
        for (name, value) in [
            ("CONNECTION_TIMEOUT", "30 seconds"),
            ("COOKIE_DOMAIN", "www.example.org"),
            ("SESSION_COOKIE_NAME", "app_session"),
            ("SEEDED", "since yesterday"),
            ("PROCEED", "with caution"),
            ("CONNECTIONS_MAX", "a hundred or so"),
            ("PUBLIC_WEBHOOK", "https://example.org"),
            ("RANDOM_SEED", "1234-5678"),
            ("COOKIECUTTER", "gh:someone/template"),
        ] {
            assert!(!is_secret(name, value), "{name}");
        }
        assert!(is_secret("DB_PASSWORD", "30000000"), "a password may be a number");
    }
}
