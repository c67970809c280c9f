//! The read buffers of the relay: a few per thread, none per idle session.

use std::cell::RefCell;

/// Bytes that one read takes at most. Large results are cheaper in large reads; beyond this
/// the buffers fall out of the processor's cache.
pub const SIZE: usize = 256 << 10;

thread_local! {
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// How many free buffers a thread keeps.
const KEPT: usize = 8;

/// A buffer of [`SIZE`] bytes; its contents are whatever was in it before.
pub fn take() -> Vec<u8> {
    FREE.with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| vec![0; SIZE])
}

/// Gives a buffer back.
pub fn give(buffer: Vec<u8>) {
    FREE.with_borrow_mut(|free| {
        if buffer.len() == SIZE && free.len() < KEPT {
            free.push(buffer);
        }
    });
}
