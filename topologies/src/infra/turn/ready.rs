//! Which sockets have something to read, so that a wake-up costs the sockets that are ready and
//! not the sockets that are open.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use futures::task::AtomicWaker;

/// The ports whose sockets woke since they were last read, in the order of their waking.
#[derive(Debug, Default)]
pub(super) struct Ready {
    ports: Mutex<Vec<u16>>,
    driver: AtomicWaker,
}

/// Wakes the driver and notes which socket did it.
#[derive(Debug)]
pub(super) struct SocketWaker {
    port: u16,
    noted: AtomicBool,
    ready: Arc<Ready>,
}

impl Ready {
    /// Wakes `driver` from now on.
    pub(super) fn register(&self, driver: &Waker) {
        self.driver.register(driver);
    }

    /// Moves the ready ports into `ports`, which is empty.
    pub(super) fn take(&self, ports: &mut Vec<u16>) {
        let mut ready = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut *ready, ports);
    }
}

impl SocketWaker {
    /// A waker for the socket on `port`, which counts as ready at first.
    pub(super) fn new(port: u16, ready: Arc<Ready>) -> Arc<Self> {
        let waker = Arc::new(SocketWaker {
            port,
            noted: AtomicBool::new(false),
            ready,
        });
        waker.wake_by_ref();
        waker
    }

    /// To be called before the socket is read: wakes from now on are noted again.
    pub(super) fn reset(&self) {
        self.noted.store(false, Ordering::Release);
    }
}

impl Wake for SocketWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.noted.swap(true, Ordering::AcqRel) {
            let ports = self.ready.ports.lock();
            ports
                .unwrap_or_else(PoisonError::into_inner)
                .push(self.port);
            self.ready.driver.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_noted_once_until_it_is_read() {
        let ready = Arc::new(Ready::default());
        let socket = SocketWaker::new(9, ready.clone());
        SocketWaker::new(4, ready.clone());
        socket.wake_by_ref();
        let mut ports = Vec::new();
        ready.take(&mut ports);
        assert_eq!(ports, [9, 4]);

        ports.clear();
        socket.wake_by_ref();
        ready.take(&mut ports);
        assert!(ports.is_empty(), "taken, but not read yet");
        socket.reset();
        socket.wake_by_ref();
        ready.take(&mut ports);
        assert_eq!(ports, [9]);
    }
}
