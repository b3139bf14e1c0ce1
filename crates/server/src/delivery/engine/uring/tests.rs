//! Tests with rings that fail.
use super::*;
use mio::net::TcpStream;
use std::{
    io::Read,
    net::{Ipv4Addr, TcpListener},
    thread,
    time::Duration,
};

/// Starts a ring; `None` on a system without io_uring. On others the ring must pass its probe.
fn start() -> Option<Uring> {
    IoUring::new(BATCH).is_ok().then(|| Uring::start().unwrap())
}

/// Returns the number of sends that are queued.
fn queued(ring: &IoUring) -> usize {
    // SAFETY: the caller has no other submission queue while it waits for this function.
    #[allow(unsafe_code, reason = "the ring is borrowed shared, and only looked at")]
    unsafe { ring.submission_shared() }.len()
}

/// Gives at most `most` of the queued sends to the kernel.
fn enter(ring: &IoUring, most: u32) -> io::Result<usize> {
    // SAFETY: there is no argument that could be wrong.
    #[allow(unsafe_code, reason = "the crate submits all or nothing, other than the kernel")]
    unsafe {
        ring.submitter().enter::<libc::sigset_t>(most, 0, 0, None)
    }
}

fn never(_: &IoUring) -> io::Result<usize> {
    Err(io::Error::from_raw_os_error(libc::EBADF))
}

fn three_at_a_time(ring: &IoUring) -> io::Result<usize> {
    enter(ring, 3)
}

/// Gives three of the twenty queued sends to the kernel, and in later calls no more.
fn three_and_no_more(ring: &IoUring) -> io::Result<usize> {
    if queued(ring) == 20 { enter(ring, 3) } else { Err(io::Error::from_raw_os_error(libc::EBUSY)) }
}

/// Gives all queued sends to the kernel, but returns the error that the call was interrupted.
fn all_but_says_no(ring: &IoUring) -> io::Result<usize> {
    ring.submit().and(Err(io::Error::from_raw_os_error(libc::EINTR)))
}

/// Gives the queued sends to the kernel and removes their completions.
fn tells_nothing(ring: &IoUring) -> io::Result<usize> {
    let submitted = ring.submit();
    // SAFETY: the caller has no other completion queue while it waits for this function.
    #[allow(unsafe_code, reason = "the ring is borrowed shared")]
    unsafe { ring.completion_shared() }.for_each(drop);
    submitted
}

#[test]
fn a_kernel_that_keeps_a_send_is_noticed_before_anything_depends_on_it() {
    let Some(mut uring) = start() else { return };
    uring.submit = tells_nothing;
    assert_eq!(probe::run(&mut uring).unwrap_err().to_string(), "io_uring keeps a send that must not wait");
}

#[test]
fn what_a_failing_ring_does_not_take_is_sent_all_the_same() {
    type Submit = fn(&IoUring) -> io::Result<usize>;
    let submits: [(Submit, bool); 5] = [
        (never, false),
        (three_at_a_time, true),
        (three_and_no_more, false),
        (all_but_says_no, true),
        (|ring| if queued(ring) > 18 { Ok(0) } else { ring.submit() }, false),
    ];
    for (case, (submit, survives)) in submits.into_iter().enumerate() {
        let Some(mut uring) = start() else { return };
        uring.submit = submit;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut pairs = Vec::new();
        for _ in 0..20 {
            let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let socket = listener.accept().unwrap().0;
            socket.set_nonblocking(true).unwrap();
            pairs.push((TcpStream::from_std(socket), peer));
        }
        // Two sockets are full and report it: the send to one of them is taken by the ring, and the send to the other
        // one is not.
        let (filling, mut unsent, mut taken) = (vec![1; 4 << 20], Vec::new(), [0; 20]);
        let mut refused = 0;
        while refused < 20 {
            for full in [1, 18] {
                let sent = send_one(&Send { member: 0, socket: &pairs[full].0, bytes: &filling }).unwrap();
                taken[full] += sent;
                refused = if sent == 0 { refused + 1 } else { 0 };
            }
            // A socket gets room when its bytes have reached the peer, which takes a while on a busy machine.
            thread::sleep(Duration::from_millis(5));
        }
        for event in [b"first ", b"second"] {
            let sends = (0..).zip(&pairs).map(|(member, (socket, _))| Send { member, socket, bytes: event });
            uring.send(sends, &mut unsent, &Turns::default());
        }
        assert_eq!(uring.ring.is_some(), survives, "case {case}");
        let mut keys: Vec<_> = unsent.iter().map(|unsent| (unsent.member, *unsent.taken.as_ref().unwrap())).collect();
        keys.sort_unstable();
        assert_eq!(keys, [(1, 0), (1, 0), (18, 0), (18, 0)], "case {case}");
        for (index, (socket, mut peer)) in pairs.into_iter().enumerate() {
            drop(socket);
            let mut received = Vec::new();
            peer.read_to_end(&mut received).unwrap();
            let expected = if taken[index] > 0 { vec![1; taken[index]] } else { b"first second".to_vec() };
            assert!(received == expected, "case {case}, socket {index}");
        }
    }
}

#[test]
fn a_request_that_fails_for_its_own_sake_is_made_again() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let socket = TcpStream::from_std(listener.accept().unwrap().0);
    let send = Send { member: 0, socket: &socket, bytes: b"event" };
    for (result, expected) in [(-libc::ENOMEM, 5), (-libc::ECANCELED, 5), (-libc::EAGAIN, 0), (3, 3)] {
        assert_eq!(sent(&send, result).unwrap(), expected);
    }
    assert_eq!(sent(&send, -libc::EPIPE).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    drop(socket);
    let mut received = Vec::new();
    peer.read_to_end(&mut received).unwrap();
    assert_eq!(received, b"eventevent");
}
