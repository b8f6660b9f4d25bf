//! What waits to be written to one connection.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf as _, Bytes};

/// How many messages go to the kernel by one call.
const WRITE_SLICES: usize = 16;

/// Above so many places an empty queue gives its memory back.
const KEPT_PLACES: usize = 4;

/// Messages in order; the first may be written in part.
#[derive(Debug, Default)]
pub(crate) struct WriteQueue {
    parts: VecDeque<Bytes>,
    bytes: usize,
}

impl WriteQueue {
    pub(crate) fn push(&mut self, part: Bytes) {
        if !part.is_empty() {
            self.bytes = self.bytes.saturating_add(part.len());
            self.parts.push_back(part);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The next to write, and how many places of it are filled.
    pub(crate) fn slices(&self) -> ([IoSlice<'_>; WRITE_SLICES], usize) {
        let mut slices = [IoSlice::new(&[]); WRITE_SLICES];
        for (slice, part) in slices.iter_mut().zip(&self.parts) {
            *slice = IoSlice::new(part);
        }
        (slices, self.parts.len().min(WRITE_SLICES))
    }

    /// So many bytes were written.
    pub(crate) fn advance(&mut self, mut written: usize) {
        self.bytes = self.bytes.saturating_sub(written);
        while let Some(first) = self.parts.front_mut() {
            if written < first.len() {
                first.advance(written);
                return;
            }
            written -= first.len();
            self.parts.pop_front();
        }
        if self.parts.capacity() > KEPT_PLACES {
            self.parts = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn however_it_is_written_all_of_it_is_and_in_order() {
        for step in 1..20 {
            let mut queue = WriteQueue::default();
            for n in 0..40 {
                queue.push(Bytes::from(vec![n; usize::from(n % 7)]));
            }
            let expected: Vec<u8> = (0..40).flat_map(|n: u8| vec![n; usize::from(n % 7)]).collect();
            assert_eq!(queue.bytes(), expected.len());
            let mut written = Vec::new();
            while !queue.is_empty() {
                let next: Vec<u8> = queue.slices().0.iter().flat_map(|slice| slice.to_vec()).take(step).collect();
                queue.advance(next.len());
                written.extend(next);
            }
            assert_eq!((written, queue.bytes()), (expected, 0));
            assert!(queue.parts.capacity() <= KEPT_PLACES);
        }
    }
}
