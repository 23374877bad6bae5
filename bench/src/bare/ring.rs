//! Many sends through one io_uring: the only unsafe code of the bare sender, and only for the trial
//! of it. Which bytes go to whom is `fanout`'s business.
//!
//! Nothing stays under way: whoever hands slices in has them back when the call returns, because it
//! returns only when every completion was reaped. A full socket completes at once, with `EAGAIN`.

#![expect(unsafe_code, reason = "the kernel reads the slices through the ring")]

use io_uring::{IoUring, opcode, types};
use rustix::io::Errno;
use rustix::net::SendFlags;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Sends handed to the kernel at a time.
const ENTRIES: u32 = 4096;

/// A ring that sends.
pub struct Ring {
    ring: IoUring,
}

/// One send.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// Where to.
    pub socket: BorrowedFd<'a>,
    /// What.
    pub bytes: &'a [u8],
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").finish_non_exhaustive()
    }
}

impl Ring {
    /// A ring, set up as is best for a thread that hands in batches and waits for them.
    ///
    /// # Errors
    /// If the kernel has no io_uring, or does not let this process have one.
    pub fn new() -> io::Result<Self> {
        let mut builder = IoUring::builder();
        // Not for a single issuer: a sender may be made on another thread than it runs on.
        builder.setup_coop_taskrun();
        Ok(Self { ring: builder.build(ENTRIES)? })
    }

    /// Sends each slice on its socket, without waiting for room, and puts into `results`, in the same
    /// order, how many bytes each socket took or why it took none.
    ///
    /// # Panics
    /// Never; but if the ring itself fails while sends are under way, the process is aborted, for
    /// their memory cannot be given back.
    pub fn send_all(&mut self, sends: &[Sending<'_>], results: &mut Vec<Result<usize, Errno>>) {
        results.clear();
        results.resize(sends.len(), Err(Errno::CANCELED));
        let mut from = 0;
        for batch in sends.chunks(ENTRIES as usize) {
            self.send_batch(batch, &mut results[from..from + batch.len()]);
            from += batch.len();
        }
    }

    fn send_batch(&mut self, batch: &[Sending<'_>], results: &mut [Result<usize, Errno>]) {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        for (at, send) in batch.iter().enumerate() {
            // The length of a slice that is longer is sent in part, as a full socket's is.
            let length = u32::try_from(send.bytes.len()).unwrap_or(u32::MAX);
            let entry =
                opcode::Send::new(types::Fd(send.socket.as_raw_fd()), send.bytes.as_ptr(), length)
                    .flags(flags.bits() as i32)
                    .build()
                    .user_data(at as u64);
            // SAFETY: the descriptor and the slice are borrowed until this call returns, and it
            // returns when every entry that was pushed has been completed, or not at all.
            let pushed = unsafe { self.ring.submission().push(&entry) };
            if pushed.is_err() {
                self.abandon("the queue has no room for a batch");
            }
        }
        let mut left = batch.len();
        while left > 0 {
            match self.ring.submit_and_wait(left) {
                Ok(_) => {}
                Err(error) if is_passing(&error) => {}
                Err(error) => self.abandon(&error.to_string()),
            }
            for done in self.ring.completion() {
                left -= 1;
                results[done.user_data() as usize] = match done.result() {
                    taken @ 0.. => Ok(taken as usize),
                    error => Err(Errno::from_raw_os_error(-error)),
                };
            }
        }
    }

    fn abandon(&self, why: &str) -> ! {
        eprintln!("bare: the ring failed with sends under way: {why}");
        std::process::abort();
    }
}

/// Whether it is worth asking again: a signal came, or completions must be reaped first.
fn is_passing(error: &io::Error) -> bool {
    let passing = [Errno::INTR, Errno::AGAIN, Errno::BUSY];
    Errno::from_io_error(error).is_some_and(|error| passing.contains(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};
    use std::os::fd::AsFd;

    #[test]
    fn each_gets_its_own_and_a_full_or_closed_socket_harms_no_other() {
        let pair = || {
            let flags = SocketFlags::CLOEXEC;
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap()
        };
        let (full, closed, good) = (pair(), pair(), pair());
        drop(closed.1);
        let large = vec![7; 4 << 20];
        let to = |socket, bytes| Sending { socket, bytes };
        let (mut ring, mut results) = (Ring::new().unwrap(), Vec::new());
        let sends = [
            to(full.0.as_fd(), &large[..]),
            to(full.0.as_fd(), &large[..]),
            to(closed.0.as_fd(), b"lost"),
            to(good.0.as_fd(), b"first "),
        ];
        ring.send_all(&sends, &mut results);
        assert!(results[0].is_ok_and(|taken| taken > 0 && taken < large.len()), "{results:?}");
        assert_eq!(results[1..], [Err(Errno::AGAIN), Err(Errno::PIPE), Ok(6)]);
        // More than one batch, in order.
        let many = vec![to(good.0.as_fd(), b"x"); 5_000];
        let mut got = [0; 10];
        let (read, _) = rustix::net::recv(&good.1, &mut got[..], RecvFlags::DONTWAIT).unwrap();
        assert_eq!(&got[..read], b"first ");
        ring.send_all(&many, &mut results);
        let taken = results.iter().filter(|result| **result == Ok(1)).count();
        assert!(results.len() == 5_000 && taken > 100, "{taken}");
        let refused = results.iter().filter(|result| **result == Err(Errno::AGAIN)).count();
        assert_eq!(taken + refused, 5_000);
    }
}
