//! The name of a browser in a list: its own name and its system, from the `User-Agent` header.

/// A name has at most so many characters; the rest is left out.
const CHARS_MAX: usize = 40;

/// Browsers by their mark in the header. Most pretend to be others as well, so the first that fits counts.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems in the same way.
const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// `Firefox on Linux` say; of a program that is no browser its first word.
pub fn name_of(user_agent: Option<&str>) -> String {
    let header = user_agent.unwrap_or_default();
    let found =
        |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| header.contains(mark)).map(|(_, name)| *name);
    match (found(BROWSERS), found(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => {
            let word = header.split_whitespace().next().unwrap_or("unknown");
            word.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect()
        }
    }
}
