//! What a command prints: all of it read, the first and the last part kept.

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncReadExt as _};

#[derive(Debug)]
pub(super) struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    pub(super) dropped: u64,
}

impl Kept {
    pub(super) fn at_most(bytes: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), half: bytes / 2, dropped: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(head);
        // Of a piece longer than the tail only its end can stay.
        let (passed, rest) = rest.split_at(rest.len().saturating_sub(self.half));
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..over);
        self.dropped += (passed.len() + over) as u64;
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head;
        bytes.extend(self.tail);
        bytes
    }

    /// Reads to the end, which comes when the last process that could write is gone.
    pub(super) async fn drain(&mut self, mut from: impl AsyncRead + Unpin) -> std::io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match from.read(&mut buffer).await? {
                0 => return Ok(()),
                read => self.push(&buffer[..read]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_ends_stay(pieces in proptest::collection::vec("[a-z]{0,9}", 0..9), limit in 2_usize..20) {
            let whole = pieces.concat();
            let mut kept = Kept::at_most(limit);
            pieces.iter().for_each(|piece| kept.push(piece.as_bytes()));
            let (dropped, bytes) = (kept.dropped as usize, kept.into_bytes());
            let half = limit / 2;
            let expected = if whole.len() <= half * 2 {
                whole.clone()
            } else {
                format!("{}{}", &whole[..half], &whole[whole.len() - half..])
            };
            proptest::prop_assert_eq!(String::from_utf8(bytes).unwrap(), &*expected);
            proptest::prop_assert_eq!(dropped, whole.len() - expected.len());
        }
    }
}
