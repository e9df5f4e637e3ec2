//! The seal on the control server's process, set before anything else, so that no other process can look into it.

use std::io;

/// Takes from other processes of the same user what they could read of this one, and from its children what it has open.
#[cfg(target_os = "linux")]
pub fn seal() -> io::Result<()> {
    use rustix::io::{FdFlags, fcntl_setfd};
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    // Its memory, its environment and its descriptors are root's from now on, and no core is dumped.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // What this process opens itself is closed in its children already; this is what it was started with.
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in open {
        // SAFETY: the number is only handed to fcntl, which answers EBADF where it is no descriptor any more; nothing else
        // runs in this process yet that could open one under it.
        #[allow(unsafe_code)]
        let descriptor = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
        let _ = fcntl_setfd(descriptor, FdFlags::CLOEXEC);
    }
    Ok(())
}

/// Elsewhere there is no `/proc` through which one could look.
#[cfg(not(target_os = "linux"))]
pub fn seal() -> io::Result<()> {
    Ok(())
}
