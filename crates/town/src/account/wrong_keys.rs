//! Wrong keys and codes, counted for each address. Who shows too many is not looked at any more until its minute is over,
//! also with a right one: else it would learn which one that is.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use townwatch_protocol::limits::{WRONG_KEY_ADDRESSES_MAX, WRONG_KEYS_MAX, WRONG_KEYS_MS};
use townwatch_protocol::time::Timestamp;

/// The addresses that have shown wrong keys, each with when its minute began and how many it has shown in it.
#[derive(Debug, Default)]
pub struct WrongKeys(BTreeMap<String, (Timestamp, u64)>);

impl WrongKeys {
    /// Counts one more wrong key of an address. Gives the time until which its keys are refused, if there were too
    /// many.
    pub fn count(&mut self, address: &str, now: Timestamp) -> Option<Timestamp> {
        self.0.retain(|_, (began_at, _)| now < began_at.plus_millis(WRONG_KEYS_MS));
        if self.0.len() >= WRONG_KEY_ADDRESSES_MAX && !self.0.contains_key(address) {
            let oldest = self.0.iter().min_by_key(|(_, (began_at, _))| *began_at).map(|(address, _)| address.clone());
            oldest.and_then(|oldest| self.0.remove(&oldest));
        }
        let (began_at, shown) = self.0.entry(address.to_owned()).or_insert((now, 0));
        *shown += 1;
        (*shown > WRONG_KEYS_MAX).then(|| began_at.plus_millis(WRONG_KEYS_MS))
    }
}

/// The addresses that are not looked at, as the Worker knows it of the account.
#[derive(Debug, Default)]
pub struct RefusedAddresses(BTreeMap<String, Timestamp>);

impl RefusedAddresses {
    /// None.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The time until which the address is refused.
    pub fn until(&self, address: &str, now: Timestamp) -> Option<Timestamp> {
        self.0.get(address).copied().filter(|until| now < *until)
    }

    /// The account says so. Where there are too many of them the others are forgotten: the account knows them.
    pub fn note(&mut self, address: String, until: Timestamp, now: Timestamp) {
        self.0.retain(|_, until| now < *until);
        if self.0.len() >= WRONG_KEY_ADDRESSES_MAX {
            self.0.clear();
        }
        self.0.insert(address, until);
    }
}

/// Whom to count: of IPv6 the network, in which one person has as many addresses as there are. One for all that name none.
pub fn counted_as(address: Option<&str>) -> String {
    match address.map(|address| address.trim().parse()) {
        Some(Ok(IpAddr::V6(six))) => match six.to_ipv4_mapped() {
            Some(four) => four.to_string(),
            None => format!("{}/64", Ipv6Addr::from_bits(six.to_bits() & (u128::MAX << 64))),
        },
        Some(Ok(four)) => four.to_string(),
        Some(Err(_)) | None => "unknown".to_owned(),
    }
}
