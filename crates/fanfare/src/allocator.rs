//! The allocator of the program and its options. They suit many small objects that live long, and return memory to the
//! system after many connections have closed. A program that embeds the hub chooses its own allocator.
#![allow(unsafe_code, reason = "the linker cannot check the type of an exported symbol")]

/// The allocator of the program is jemalloc, because glibc's allocator keeps the memory of closed connections in its
/// arenas and does not return it to the system.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The options of jemalloc. A background thread of jemalloc returns unused pages to the system after one second, also
/// when the program is idle. By default, unused pages are returned only after ten seconds, and only by threads that go
/// on allocating. Two arenas are enough for few threads: with more arenas, more memory would be reserved and only
/// partly used. Each thread keeps at most a few freed objects of up to 14 KiB for reuse, such as the buffers of
/// connections: by default, a thread that has accepted many connections would keep 20 objects of each of the largest
/// of these sizes.
const OPTIONS: &[u8] =
    b"background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:2,tcache_nslots_small_min:4\0";

/// The place where jemalloc looks for its options: a pointer to a string that ends in NUL.
// SAFETY: jemalloc declares this symbol as `const char *`, which a reference to the first byte is, and reads up to the
// NUL.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static CONFIGURATION: Option<&'static u8> = OPTIONS.first();
