//! The hub's log measured by itself, without a hub: what it writes, how it opens, finds and reads, and what it takes.
//!
//! A [`scale`] says how much of everything there is, and a [`workload`] what the updates look like. What has to be a
//! process of its own, to be killed or to have its memory read, is a [`worker`]. [`written`], [`million`], [`segments`]
//! and [`alone`] each ask something, and answer with a [`figure`] for each limit. [`reading`] is how they read.
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
