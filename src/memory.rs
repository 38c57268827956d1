//! Keeps the system's allocator from holding on to memory that the program gave back.

/// Lets all threads share two of glibc's arenas; elsewhere it does nothing.
///
/// A slide's tiles are allocated by one thread and freed by another. With an arena for each thread, what is freed in one
/// is of no use to the others, and a large slide takes up to 1.7 times the memory (`cargo bench -p ftuseg --bench big`). The
/// command calls this before it starts any thread. A program that embeds the engine may do so too, or set the
/// variable `MALLOC_ARENA_MAX`, or bring an allocator of its own.
pub fn share_arenas() {
    // What the user has set stands.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        // SAFETY: `mallopt` takes two numbers, changes only the allocator's own settings, and may be called at any time.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
    }
}
