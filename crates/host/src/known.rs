//! The secrets that a run knows: its variables, and the files in its HOME.

use std::path::Path;

use townwatch_redaction::SecretValues;

use crate::credentials;

/// The values to hide, from these variables and from this HOME's files. The values of `declared` names are always
/// hidden.
pub fn known(
    variables: impl IntoIterator<Item = (String, String)>,
    declared: &[String],
    home: Option<&Path>,
) -> SecretValues {
    let is_no_path = |(name, value): &(String, String)| declared.contains(name) || !is_path(value);
    let mut secrets = SecretValues::of(variables.into_iter().filter(is_no_path), declared);
    for (file, value) in home.map(credentials::of).unwrap_or_default() {
        secrets.hide(file, &value);
    }
    secrets
}

/// Whether a value is the path of a file. A path to a secret is no secret.
fn is_path(value: &str) -> bool {
    Path::new(value).is_absolute() && Path::new(value).exists()
}

#[cfg(test)]
mod tests {
    use townwatch_redaction::Redactor;

    use super::*;

    #[test]
    fn a_path_is_no_secret_unless_it_is_declared_one() {
        let variables =
            [("A_KEY", "/usr/bin/env"), ("B_KEY", "/no/such/file")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let clean = |declared: &[String]| {
            let secrets = known(variables.clone(), declared, None);
            Redactor::new(secrets).unwrap().text("/usr/bin/env /no/such/file").into_owned()
        };
        assert_eq!(clean(&[]), "/usr/bin/env ‹redacted:B_KEY›");
        assert_eq!(clean(&["A_KEY".to_owned()]), "‹redacted:A_KEY› ‹redacted:B_KEY›");
    }
}
