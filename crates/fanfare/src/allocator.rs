//! The allocator of the program, and how it is set up: for many small things that live long, and for memory that is
//! given back after a wave of connections. Whoever embeds the hub chooses an allocator of their own.
#![allow(unsafe_code, reason = "the name of a symbol is a promise that the linker cannot check")]

/// glibc's allocator keeps what a wave has left behind in its arenas.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Unused pages go back to the system after a second, also when the program is idle: a thread of the allocator's own
/// sees to that. By default it takes ten seconds, and only threads that go on allocating give anything back. Two arenas
/// are enough for few threads, and hold less that is half used.
const OPTIONS: &[u8] = b"background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:2\0";

/// The place where jemalloc looks for its options: a pointer to a string that ends in NUL.
// SAFETY: jemalloc declares this symbol as `const char *`, which a reference to the first byte is, and reads up to the
// NUL.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static CONFIGURATION: Option<&'static u8> = OPTIONS.first();
