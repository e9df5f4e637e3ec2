//! The seal on the control server's process. It is set before anything else, so that no other process can read this
//! one.

use std::io;

/// Closes this process to other processes of the same user, and its open descriptors to its children.
#[cfg(target_os = "linux")]
pub fn seal() -> io::Result<()> {
    use rustix::io::{FdFlags, fcntl_setfd};
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    // Only root can read this process's memory, environment and descriptors from now on, and no core is dumped.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // Descriptors that this process opens itself are closed in its children already. These are the ones that it was
    // started with.
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

/// Does nothing, because other systems have no `/proc` through which one process could read another.
#[cfg(not(target_os = "linux"))]
pub fn seal() -> io::Result<()> {
    Ok(())
}
