//! The meter of a server's costs: CPU time, memory and open files. It reads them from `/proc` while the server runs.
use crate::process_tree::{self, Stat};
use std::{fs, io, net::SocketAddr, time::Duration};

/// A server on this machine, with all processes that descend from it.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// The ID of the server's process.
    pub process: u32,
}

/// The state of a listening socket, as `/proc/net/tcp` shows it.
const LISTEN: &str = "0A";

impl Meter {
    /// Finds the server that listens at a loopback address. If several processes listen there, this is the process from
    /// which all the others descend. Returns `None` if there is no such process, if it belongs to another user, or if
    /// the address is not a loopback address.
    #[must_use]
    pub fn of_listener(address: SocketAddr) -> Option<Self> {
        if !address.ip().is_loopback() {
            return None;
        }
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
        let inodes: Vec<String> = tables.iter().flat_map(|table| listeners(table, address.port())).collect();
        let processes = process_tree::with_open_files(&|link| {
            inodes
                .iter()
                .any(|inode| link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')) == Some(inode))
        });
        let whole = |process: &&u32| {
            let tree = process_tree::tree(**process).unwrap_or_default();
            // A child process that was just forked also has the listening socket of its parent, until the child runs
            // another program or ends. A child that has ended is ignored.
            let is_within = |other: &u32| tree.iter().any(|stat| stat.process == *other);
            processes.iter().all(|other| is_within(other) || process_tree::is_gone(*other))
        };
        processes.iter().find(whole).map(|process| Self { process: *process })
    }

    /// Returns the CPU time of the server's processes, in user and system mode.
    ///
    /// # Errors
    /// If the server has ended.
    pub fn cpu(&self) -> io::Result<Duration> {
        Ok(process_tree::tree(self.process)?.iter().map(Stat::cpu).sum())
    }

    /// Returns the memory of the server's processes in bytes: the proportional set size, which counts a shared page in
    /// equal parts for all processes that share it.
    ///
    /// # Errors
    /// If the server has ended, or belongs to another user.
    pub fn pss(&self) -> io::Result<u64> {
        self.sum(process_tree::pss)
    }

    /// Returns the number of files that the server's processes have open. Each connection is an open file.
    ///
    /// # Errors
    /// If the server has ended, or belongs to another user.
    pub fn open_files(&self) -> io::Result<u64> {
        self.sum(process_tree::open_files)
    }

    /// Adds up what `figure` returns for each of the server's processes. A descendant that ends meanwhile counts as
    /// zero.
    fn sum(&self, figure: fn(u32) -> io::Result<u64>) -> io::Result<u64> {
        let figures = process_tree::tree(self.process)?.into_iter().map(|stat| match figure(stat.process) {
            Err(error) if stat.process != self.process && process_tree::has_ended(stat.process, &error) => Ok(0),
            figure => figure,
        });
        figures.sum()
    }
}

/// Returns the inodes of the sockets that listen on `port`, from `table`, the text of `/proc/net/tcp`.
fn listeners(table: &str, port: u16) -> Vec<String> {
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let port = format!(":{port:04X}");
    let listening = lines
        .filter(|fields| fields.get(1).is_some_and(|local| local.ends_with(&port)) && fields.get(3) == Some(&LISTEN));
    listening.filter_map(|fields| fields.get(9).map(|inode| (*inode).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::TcpListener,
        process::Command,
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    #[test]
    fn listeners_are_found_by_their_port() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:0BB8 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 0100007F:0BB9 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
";
        assert_eq!(listeners(table, 3000), ["4711"]);
    }

    #[test]
    fn a_child_that_ends_meanwhile_has_no_figure() {
        let meter = Meter { process: std::process::id() };
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        Command::new("true").status().unwrap();
                    }
                });
            }
            let figures: Vec<_> = (0..200).map(|_| meter.pss().and_then(|_| meter.open_files())).collect();
            is_over.store(true, Ordering::Relaxed);
            assert!(figures.iter().all(|figure| figure.as_ref().is_ok_and(|files| *files > 0)), "{figures:?}");
        });
    }

    #[test]
    fn whoever_listens_is_found_by_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let found = Meter::of_listener(listener.local_addr().unwrap()).map(|meter| meter.process);
        assert_eq!(found, Some(std::process::id()));
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    Command::new("true").status().unwrap();
                }
            });
            let address = listener.local_addr().unwrap();
            let found: Vec<_> = (0..40).map(|_| Meter::of_listener(address).map(|meter| meter.process)).collect();
            is_over.store(true, Ordering::Relaxed);
            assert!(found.iter().all(|found| *found == Some(std::process::id())), "{found:?}");
        });
        assert!(Meter::of_listener("192.0.2.1:80".parse().unwrap()).is_none());
    }
}
