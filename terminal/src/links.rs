//! The addresses that texts lead to (OSC 8: `ESC ] 8 ; id=1 ; https://example.com/ ESC \`).

use std::num::NonZeroU16;

use crate::style::Link;

/// A longer address is none: half of one leads somewhere else.
pub const LINK_BYTES_MAX: usize = 2_048;
/// Different addresses of one terminal; what further ones would be under is plain text.
pub const LINKS_MAX: usize = 1_000;
/// What the parser keeps of an OSC; what is longer is cut there, and then no link.
pub(crate) const OSC_BYTES_MAX: usize = 4_096;
/// Parts between semicolons that the parser keeps apart.
const OSC_PARTS_MAX: usize = 16;

/// The addresses by their number.
#[derive(Debug, Default)]
pub(crate) struct Links {
    addresses: Vec<String>,
}

impl Links {
    /// The address of a link.
    pub(crate) fn address(&self, link: Link) -> Option<&str> {
        self.addresses.get(usize::from(link.0.get()) - 1).map(String::as_str)
    }

    /// The link that the parts of an OSC 8 behind its number begin; none where they end one.
    pub(crate) fn begin(&mut self, parts: &[&[u8]]) -> Option<Link> {
        let (_, address) = parts.split_first()?;
        let bytes: usize = parts.iter().map(|part| part.len() + 1).sum();
        if bytes + 2 > OSC_BYTES_MAX || parts.len() + 1 >= OSC_PARTS_MAX {
            return None; // not all of it is here
        }
        let address = String::from_utf8(address.join(&b';')).ok()?; // an address may have semicolons
        let is_whole = !address.is_empty() && address.len() <= LINK_BYTES_MAX;
        if !is_whole || !is_known(&address) || address.chars().any(|one| one.is_control() || one == ' ') {
            return None;
        }
        // The newest first: a program writes one link after the other.
        let known = self.addresses.iter().rposition(|one| *one == address);
        let index = match known {
            Some(index) => index,
            None if self.addresses.len() >= LINKS_MAX => return None,
            None => {
                self.addresses.push(address);
                self.addresses.len() - 1
            }
        };
        u16::try_from(index + 1).ok().and_then(NonZeroU16::new).map(Link)
    }
}

/// Whether it is an address that one may want to see: scripts and the like are not even kept.
fn is_known(address: &str) -> bool {
    let scheme = address.split(':').next().unwrap_or_default();
    ["http", "https", "file", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}
