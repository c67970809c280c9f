//! Uploads in parts.

use std::time::Duration;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use tokio::task::JoinSet;

use super::RemoteStore;
use crate::store::Content;
use crate::store::content::slices;
use crate::store::error::{Fault, joined};
use crate::store::patience::Patience;

/// Bytes of a part; S3 takes no less than 5 MiB.
const PART: u64 = 8 * 1024 * 1024;

/// S3 takes no more parts than 10,000.
const MAX_PARTS: u64 = 9_999;

/// Parts on their way at the same time; they are slices of the value, not copies, unless the
/// value has to be decoded.
const PARTS_IN_FLIGHT: usize = 4;

/// How long giving up a failed upload may hold up the error.
const ABORT: Duration = Duration::from_secs(5);

impl RemoteStore {
    /// Uploads in parts of equal size, each with the deadline to itself. An upload that fails
    /// is given up on the server too, as far as that works.
    pub(super) async fn put_parts(
        &self,
        key: &Path,
        content: &dyn Content,
        patience: Patience,
    ) -> Result<(), Fault> {
        let part = PART.max(content.len().div_ceil(MAX_PARTS));
        let mut upload = patience.part(self.store.put_multipart(key)).await?;
        let sent: Result<(), Fault> = async {
            let mut in_flight = JoinSet::new();
            for payload in parts(content, part) {
                if in_flight.len() >= PARTS_IN_FLIGHT {
                    in_flight.join_next().await.map_or(Ok(()), joined)?;
                }
                in_flight.spawn(patience.part(upload.put_part(payload)));
            }
            while let Some(part) = in_flight.join_next().await {
                joined(part)?;
            }
            content.check()?;
            Ok(())
        }
        .await;
        let completed = match sent {
            Ok(()) => patience.part(upload.complete()).await.map(drop),
            Err(fault) => Err(fault),
        };
        if completed.is_err() {
            // What stays behind costs space until the bucket's own rules remove it.
            let _ = tokio::time::timeout(ABORT, upload.abort()).await;
        }
        completed
    }
}

/// The content cut into payloads of `part` bytes, the last one shorter.
fn parts(content: &dyn Content, part: u64) -> impl Iterator<Item = PutPayload> + Send + use<> {
    let mut slices = slices(content);
    let mut rest: Option<Bytes> = None;
    std::iter::from_fn(move || {
        let mut pieces: Vec<Bytes> = Vec::new();
        let mut missing = part;
        while missing > 0 {
            let Some(mut piece) = rest.take().or_else(|| slices.next()) else {
                break;
            };
            if piece.len() as u64 > missing {
                // `missing` is less than a length, so it is a usize.
                rest = Some(piece.split_off(missing as usize));
            }
            missing -= piece.len() as u64;
            pieces.push(piece);
        }
        (!pieces.is_empty()).then(|| pieces.into_iter().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_equal_but_for_the_last() {
        let bytes = Bytes::from((0..=255u8).cycle().take(1_000_003).collect::<Vec<_>>());
        let payloads: Vec<Bytes> = parts(&bytes, 300_000).map(Bytes::from).collect();
        let lens: Vec<usize> = payloads.iter().map(Bytes::len).collect();
        assert_eq!(lens, [300_000, 300_000, 300_000, 100_003]);
        assert_eq!(payloads.concat(), bytes);
    }
}
