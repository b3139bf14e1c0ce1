//! The measurement of the hub's log without a hub: the bytes that it writes, how fast it opens, finds and reads, and
//! the memory and files that it takes.
//!
//! A [`scale`] defines the sizes of a run, and a [`workload`] the form of the updates. A [`worker`] is a separate
//! process, which can be killed or whose memory can be read. [`written`], [`million`], [`segments`] and [`alone`] each
//! measure something, and return a [`figure`] for each limit. [`reading`] reads the log.
pub mod alone;
pub mod figure;
pub mod million;
pub mod reading;
pub mod scale;
pub mod scratch;
pub mod segments;
pub mod worker;
pub mod workload;
pub mod written;
