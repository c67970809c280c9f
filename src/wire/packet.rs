//! Packet framing: cutting a byte stream into packets, and laying payloads out as packets.
//!
//! A packet is three bytes of length, one of sequence number, and the payload. A payload of
//! [`MAX_CHUNK`] bytes is followed by another packet that continues it, possibly an empty one.

/// The bytes before each payload.
pub const HEADER: usize = 4;
/// The longest payload of one packet; a packet this long is continued by the next.
pub const MAX_CHUNK: usize = 0xFF_FFFF;

/// Walks the packets of a byte stream without copying it.
///
/// The caller keeps one contiguous buffer. [`Cutter::next`] gives each packet once its header
/// and as much of the payload as the caller asks for are there; the rest of the payload is
/// passed over as it arrives. Bytes that are not yet complete stay with the caller.
#[derive(Debug, Default)]
pub struct Cutter {
    /// Payload bytes of the current packet that have not arrived yet.
    skip: usize,
    /// The current packet continues in the next one.
    continues: bool,
}

/// The head of one packet inside the caller's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Where the packet's header begins in the buffer.
    pub start: usize,
    /// Payload length of this packet alone.
    pub len: usize,
    /// Payload bytes that are in the buffer, from `start + HEADER`.
    pub have: usize,
    /// This packet continues the payload of the one before it.
    pub continued: bool,
    /// The payload goes on in the next packet.
    pub continues: bool,
}

impl Cutter {
    /// The next packet at `*at`, which moves past what has been consumed.
    ///
    /// `need` says, from the packet's length, how much of the payload must be present (it is
    /// capped at the length); continuing packets are given as soon as their header is there.
    pub fn next(
        &mut self,
        buf: &[u8],
        at: &mut usize,
        need: impl FnOnce(usize) -> usize,
    ) -> Option<Head> {
        let skipped = self.skip.min(buf.len() - *at);
        self.skip -= skipped;
        *at += skipped;
        if self.skip > 0 {
            return None;
        }
        let header = buf.get(*at..*at + HEADER)?;
        let len =
            usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
        let have = (buf.len() - *at - HEADER).min(len);
        let continued = self.continues;
        if !continued && have < need(len).min(len) {
            return None;
        }
        let head = Head {
            start: *at,
            len,
            have,
            continued,
            continues: len == MAX_CHUNK,
        };
        self.continues = head.continues;
        self.skip = len - have;
        *at += HEADER + have;
        Some(head)
    }

    /// Passes over what is there of the current packet's payload.
    pub fn pass(&mut self, buf: &[u8], at: &mut usize) {
        let skipped = self.skip.min(buf.len() - *at);
        self.skip -= skipped;
        *at += skipped;
    }

    /// True between packets (and not inside a payload that continues).
    pub fn at_boundary(&self) -> bool {
        self.skip == 0 && !self.continues
    }
}

/// The header of a packet.
pub fn header(len: usize, seq: u8) -> [u8; HEADER] {
    debug_assert!(
        len <= MAX_CHUNK,
        "longer payloads are cut into chunks first"
    );
    [len as u8, (len >> 8) as u8, (len >> 16) as u8, seq]
}

/// Payload length and sequence number of the packet that begins `buf`.
pub fn read_header(buf: &[u8]) -> Option<(usize, u8)> {
    let header = buf.get(..HEADER)?;
    Some((
        usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16,
        header[3],
    ))
}

/// Passes over whole packets, from the packet boundary `at` on, as long as they are shorter than
/// a full chunk and their first payload byte is one that `ordinary` accepts; gives the next boundary.
///
/// The inner loop of large results.
pub fn skip_while(buf: &[u8], mut at: usize, ordinary: impl Fn(u8) -> bool) -> usize {
    while let Some((len, _)) = read_header(&buf[at..]) {
        let end = at + HEADER + len;
        if len == 0 || len == MAX_CHUNK || end > buf.len() || !ordinary(buf[at + HEADER]) {
            break;
        }
        at = end;
    }
    at
}

/// How many packets a payload of `len` bytes takes.
pub fn chunks(len: u64) -> u64 {
    len / MAX_CHUNK as u64 + 1
}

/// Appends `payload` as one packet or more; gives the sequence number after the last.
pub fn push(out: &mut Vec<u8>, mut seq: u8, mut payload: &[u8]) -> u8 {
    loop {
        let (chunk, rest) = payload.split_at(payload.len().min(MAX_CHUNK));
        out.extend_from_slice(&header(chunk.len(), seq));
        out.extend_from_slice(chunk);
        seq = seq.wrapping_add(1);
        payload = rest;
        if chunk.len() < MAX_CHUNK {
            return seq;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds `stream` in pieces and collects each packet's start, length and continuation.
    fn cut(stream: &[u8], pieces: &[usize], need: usize) -> Vec<(usize, usize, bool)> {
        let (mut cutter, mut seen, mut buf, mut base, mut fed) =
            (Cutter::default(), Vec::new(), Vec::new(), 0, 0);
        let mut sizes = pieces.iter().copied().chain(std::iter::repeat(usize::MAX));
        while fed < stream.len() {
            let end = stream
                .len()
                .min(fed.saturating_add(sizes.next().unwrap_or(1).max(1)));
            buf.extend_from_slice(&stream[fed..end]);
            fed = end;
            let mut at = 0;
            while let Some(head) = cutter.next(&buf, &mut at, |_| need) {
                assert!(head.continued || head.have >= need.min(head.len));
                seen.push((base + head.start, head.len, head.continued));
            }
            buf.drain(..at);
            base += at;
        }
        assert!(buf.is_empty() && cutter.at_boundary());
        seen
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(lens in prop::collection::vec(0usize..300, 0..20), pieces in prop::collection::vec(1usize..50, 0..100), need in 0usize..40) {
            let (mut stream, mut want) = (Vec::new(), Vec::new());
            for (seq, len) in lens.iter().enumerate() {
                want.push((stream.len(), *len, false));
                push(&mut stream, seq as u8, &vec![7; *len]);
            }
            prop_assert_eq!(cut(&stream, &pieces, need), want);
        }
    }

    #[test]
    fn a_payload_at_the_boundary_is_continued_by_an_empty_packet() {
        for (len, packets) in [
            (MAX_CHUNK - 1, 1),
            (MAX_CHUNK, 2),
            (MAX_CHUNK + 1, 2),
            (2 * MAX_CHUNK, 3),
        ] {
            let mut stream = Vec::new();
            let seq = push(&mut stream, 254, &vec![1; len]);
            assert_eq!(chunks(len as u64), packets);
            assert_eq!(u64::from(seq), (254 + packets) % 256);
            let seen = cut(&stream, &[1_000_003; 40], 32);
            assert_eq!(seen.len() as u64, packets);
            assert!(seen.iter().skip(1).all(|(_, _, continued)| *continued));
        }
    }
}
