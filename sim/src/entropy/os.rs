//! Five libc calls, answered from the simulation on the thread that runs one.
//!
//! `std` and the WebRTC stack ask the operating system for random bytes, for the time of day and
//! for sockets. On the thread of a simulation the answers must follow from the seed, so this
//! module defines `getrandom`, `clock_gettime`, `bind`, `listen` and `getsockname`. The linker
//! resolves the calls of the whole program to these definitions; on a thread that has not
//! [`enter`]ed a simulation they pass every call on.
//!
//! Only Linux is covered. Elsewhere [`enter`] does nothing, runs work, and replay to the byte is
//! not kept.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use rand_chacha::ChaCha8Rng;

use super::EPOCH;
use crate::seed::Seed;
use crate::time::Time;

/// What the calls answer from.
struct State {
    random: ChaCha8Rng,
    /// Virtual addresses by file descriptor, until the runtime takes them over.
    bound: BTreeMap<i32, SocketAddrV4>,
}

thread_local! {
    /// Whether this thread runs a simulation; needs no destructor, so it can be asked anywhere.
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
    /// Virtual time, in nanoseconds.
    static NOW: Cell<u64> = const { Cell::new(0) };
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// Makes this thread a simulation thread until the guard is dropped.
///
/// `std` seeds its hash keys once per thread, so the thread must be a fresh one: the second
/// simulation of a thread would start from other keys.
pub(crate) fn enter(seed: Seed) -> Guard {
    #[cfg(target_os = "linux")]
    linux::keep_linked();
    STATE.with_borrow_mut(|state| {
        *state = Some(State {
            random: seed.stream("os"),
            bound: BTreeMap::new(),
        });
    });
    NOW.set(0);
    let nested = ACTIVE.replace(true);
    assert!(!nested, "one simulation per thread");
    Guard(())
}

/// Ends the simulation of this thread.
pub(crate) struct Guard(());

impl Drop for Guard {
    fn drop(&mut self) {
        ACTIVE.set(false);
        STATE.take();
    }
}

/// Tells the time of day what virtual time it is.
pub(crate) fn set_now(now: Time) {
    NOW.set(now.as_nanos());
}

/// Takes the virtual address that the socket with this file descriptor was bound to.
pub(crate) fn take_bound(fd: i32) -> Option<SocketAddrV4> {
    with_state(|state| state.bound.remove(&fd)).flatten()
}

/// Runs `f` on the state of this thread's simulation; `None` if it runs none.
fn with_state<R>(f: impl FnOnce(&mut State) -> R) -> Option<R> {
    if !ACTIVE.get() {
        return None;
    }
    STATE.with_borrow_mut(|state| state.as_mut().map(f))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::{CStr, c_int, c_uint, c_void};
    use std::hint::black_box;
    use std::net::{Ipv4Addr, SocketAddrV4};
    use std::sync::atomic::{AtomicPtr, Ordering};

    use libc::{clockid_t, sockaddr, sockaddr_in, socklen_t, ssize_t, timespec};
    use rand::Rng;

    use super::{ACTIVE, EPOCH, NOW, with_state};

    /// Keeps this object file linked: nothing else refers to it by name.
    pub(super) fn keep_linked() {
        black_box(getrandom as *const ());
        black_box(clock_gettime as *const ());
        black_box(bind as *const ());
        black_box(listen as *const ());
        black_box(getsockname as *const ());
    }

    /// The next definition of a symbol after this program's own: libc's.
    struct Real {
        name: &'static CStr,
        address: AtomicPtr<c_void>,
    }

    impl Real {
        const fn new(name: &'static CStr) -> Self {
            Real {
                name,
                address: AtomicPtr::new(std::ptr::null_mut()),
            }
        }

        fn address(&self) -> *mut c_void {
            let known = self.address.load(Ordering::Relaxed);
            if !known.is_null() {
                return known;
            }
            // SAFETY: dlsym takes any handle constant and a NUL-terminated name.
            let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
            assert!(!found.is_null(), "libc defines {:?}", self.name);
            self.address.store(found, Ordering::Relaxed);
            found
        }
    }

    static REAL_CLOCK_GETTIME: Real = Real::new(c"clock_gettime");
    static REAL_BIND: Real = Real::new(c"bind");
    static REAL_LISTEN: Real = Real::new(c"listen");
    static REAL_GETSOCKNAME: Real = Real::new(c"getsockname");

    /// `getrandom(2)`: bytes of the seeded stream in a simulation.
    ///
    /// # Safety
    ///
    /// As in the manual page: `buffer` must be valid for writing `length` bytes.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn getrandom(buffer: *mut c_void, length: usize, flags: c_uint) -> ssize_t {
        if ACTIVE.get() && !buffer.is_null() {
            // SAFETY: the caller promises that the buffer is valid for `length` bytes.
            let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
            if with_state(|state| state.random.fill_bytes(bytes)).is_some() {
                return length as ssize_t;
            }
        }
        // SAFETY: the system call takes the caller's arguments unchanged.
        unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) as ssize_t }
    }

    /// `clock_gettime(2)`: the time of day follows virtual time in a simulation; every other
    /// clock is the real one.
    ///
    /// # Safety
    ///
    /// As in the manual page: `time` must be valid for writing.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
        if clock == libc::CLOCK_REALTIME && ACTIVE.get() && !time.is_null() {
            let now = EPOCH.as_nanos() as u64 + NOW.get();
            let value = timespec {
                tv_sec: (now / 1_000_000_000) as libc::time_t,
                tv_nsec: (now % 1_000_000_000) as libc::c_long,
            };
            // SAFETY: the caller promises that `time` is valid for writing.
            unsafe { time.write(value) };
            return 0;
        }
        // SAFETY: libc's clock_gettime has exactly this signature.
        let real: unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int =
            unsafe { std::mem::transmute(REAL_CLOCK_GETTIME.address()) };
        // SAFETY: the caller's arguments, unchanged.
        unsafe { real(clock, time) }
    }

    /// `bind(2)`: an IPv4 socket gets its virtual address in a simulation, and no kernel port.
    ///
    /// # Safety
    ///
    /// As in the manual page: `address` must point to `length` readable bytes.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn bind(fd: c_int, address: *const sockaddr, length: socklen_t) -> c_int {
        let inet = length as usize >= size_of::<sockaddr_in>();
        // SAFETY: the caller promises `length` readable bytes, and the family comes first.
        let virtual_bind = ACTIVE.get()
            && inet
            && unsafe { (*address).sa_family } == libc::AF_INET as libc::sa_family_t;
        if virtual_bind {
            // SAFETY: the family and the length say that this is a sockaddr_in; it may be
            // unaligned.
            let inet = unsafe { address.cast::<sockaddr_in>().read_unaligned() };
            let endpoint = SocketAddrV4::new(
                Ipv4Addr::from_bits(u32::from_be(inet.sin_addr.s_addr)),
                u16::from_be(inet.sin_port),
            );
            if with_state(|state| state.bound.insert(fd, endpoint)).is_some() {
                return 0;
            }
        }
        // SAFETY: libc's bind has exactly this signature.
        let real: unsafe extern "C" fn(c_int, *const sockaddr, socklen_t) -> c_int =
            unsafe { std::mem::transmute(REAL_BIND.address()) };
        // SAFETY: the caller's arguments, unchanged.
        unsafe { real(fd, address, length) }
    }

    /// `listen(2)`: a virtually bound socket listens in the simulation alone. The kernel would give
    /// it a port of the machine, since it knows of no address.
    ///
    /// # Safety
    ///
    /// As in the manual page: any arguments will do.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn listen(fd: c_int, backlog: c_int) -> c_int {
        if with_state(|state| state.bound.contains_key(&fd)) == Some(true) {
            return 0;
        }
        // SAFETY: libc's listen has exactly this signature.
        let real: unsafe extern "C" fn(c_int, c_int) -> c_int =
            unsafe { std::mem::transmute(REAL_LISTEN.address()) };
        // SAFETY: the caller's arguments, unchanged.
        unsafe { real(fd, backlog) }
    }

    /// `getsockname(2)`: a virtually bound socket names its virtual address.
    ///
    /// # Safety
    ///
    /// As in the manual page: `address` and `length` must be valid for writing.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn getsockname(
        fd: c_int,
        address: *mut sockaddr,
        length: *mut socklen_t,
    ) -> c_int {
        let endpoint = with_state(|state| state.bound.get(&fd).copied()).flatten();
        // SAFETY: the caller promises that `length` is valid.
        let room = unsafe { *length } as usize;
        if let Some(endpoint) = endpoint.filter(|_| room >= size_of::<sockaddr_in>()) {
            // SAFETY: all-zero bytes are a valid sockaddr_in.
            let mut inet: sockaddr_in = unsafe { std::mem::zeroed() };
            inet.sin_family = libc::AF_INET as libc::sa_family_t;
            inet.sin_port = endpoint.port().to_be();
            inet.sin_addr.s_addr = endpoint.ip().to_bits().to_be();
            // SAFETY: there is room for a sockaddr_in, and `length` is valid for writing.
            unsafe {
                address.cast::<sockaddr_in>().write_unaligned(inet);
                *length = size_of::<sockaddr_in>() as socklen_t;
            }
            return 0;
        }
        // SAFETY: libc's getsockname has exactly this signature.
        let real: unsafe extern "C" fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int =
            unsafe { std::mem::transmute(REAL_GETSOCKNAME.address()) };
        // SAFETY: the caller's arguments, unchanged.
        unsafe { real(fd, address, length) }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::collections::HashMap;
    use std::io;
    use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::thread;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::*;

    /// Runs `f` as a simulation on a fresh thread.
    fn simulate<R: Send>(seed: u64, f: impl FnOnce() -> R + Send) -> R {
        thread::scope(|scope| {
            let run = || {
                let _guard = enter(Seed(seed));
                f()
            };
            scope.spawn(run).join().expect("the closure does not panic")
        })
    }

    #[test]
    fn hash_keys_follow_from_the_seed() {
        let order = || {
            let map: HashMap<u32, ()> = (0..100).map(|key| (key, ())).collect();
            map.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(simulate(1, order), simulate(1, order));
        // Two orders of 100 keys are equal by chance with probability 1/100!.
        assert_ne!(simulate(1, order), simulate(2, order));
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn the_time_of_day_is_virtual_in_a_simulation_and_real_elsewhere() {
        let of_day = || {
            set_now(Time::from_millis(1_500));
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
        };
        assert_eq!(simulate(1, of_day), EPOCH + Duration::from_millis(1_500));
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert_ne!(real, EPOCH);
    }

    #[test]
    fn binding_is_virtual_in_a_simulation_and_real_elsewhere() {
        // 203.0.113.7 (TEST-NET-3, RFC 5737) is no address of this machine.
        let endpoint: SocketAddrV4 = "203.0.113.7:4000".parse().unwrap();
        simulate(1, || {
            let socket = UdpSocket::bind(endpoint).unwrap();
            assert_eq!(socket.local_addr().unwrap(), SocketAddr::V4(endpoint));
            assert_eq!(take_bound(socket.as_raw_fd()), Some(endpoint));
            assert_eq!(take_bound(socket.as_raw_fd()), None);
        });
        assert!(UdpSocket::bind(endpoint).is_err());
        let loopback = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_ne!(loopback.local_addr().unwrap().port(), 0);
    }
    #[test]
    fn listening_is_virtual_in_a_simulation_and_real_elsewhere() {
        // As above, and the kernel does not listen: it accepts with EWOULDBLOCK where it does, and
        // with EINVAL where it does not (accept(2)).
        let endpoint: SocketAddrV4 = "203.0.113.7:443".parse().unwrap();
        simulate(1, || {
            let listener = TcpListener::bind(endpoint).unwrap();
            assert_eq!(listener.local_addr().unwrap(), SocketAddr::V4(endpoint));
            listener.set_nonblocking(true).unwrap();
            let refused = listener.accept().unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        });
        let loopback = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(TcpStream::connect(loopback.local_addr().unwrap()).is_ok());
    }
}
