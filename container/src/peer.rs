//! The user of this machine at the other end of a connection.

use std::net::{IpAddr, SocketAddr};

/// Finds the user whose process has this end of a connection; `None` where that end is on another machine, or the
/// system does not tell.
pub(crate) fn user_of(peer: SocketAddr) -> Option<u32> {
    let table = if peer.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    user_in(&std::fs::read_to_string(table).ok()?, peer)
}

/// Finds the user in a table of connections. Each line is `sl local remote st queues timers retransmits uid timeout
/// inode …`. An address is written as its 32-bit words in the machine's byte order. A closed connection stays in the
/// table for a while, as user 0's and without an inode.
fn user_in(table: &str, peer: SocketAddr) -> Option<u32> {
    let words: Vec<[u8; 4]> = match peer.ip() {
        IpAddr::V4(address) => vec![address.octets()],
        IpAddr::V6(address) => address.octets().as_chunks::<4>().0.to_vec(),
    };
    let words: Vec<String> = words.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word))).collect();
    let local = format!("{}:{:04X}", words.concat(), peer.port());
    let mut lines = table.lines().map(|line| line.split_whitespace());
    lines.find_map(|mut fields| {
        let is_it = fields.nth(1) == Some(local.as_str());
        let user = fields.nth(5).filter(|_| is_it)?;
        fields.nth(1).filter(|inode| *inode != "0")?;
        user.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2254 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:D431 0100007F:2254 01 00000000:00000000 00:00000000 00000000 20007        0 2 1 0 20 4 0 10 -1
   2: 0100007F:D432 0100007F:2254 06 00000000:00000000 03:00000FA0 00000000     0        0 0 3 0";

    #[test]
    #[cfg(target_endian = "little")]
    fn it_is_found_by_its_own_end() {
        let user = |peer: &str| user_in(TABLE, peer.parse().unwrap());
        assert_eq!(user("127.0.0.1:54321"), Some(20_007));
        assert_eq!(user("127.0.0.1:8788"), Some(0));
        assert_eq!(user("127.0.0.2:54321"), None);
        assert_eq!(user("127.0.0.1:54322"), None, "it is closed, and nobody's any more");
    }
}
