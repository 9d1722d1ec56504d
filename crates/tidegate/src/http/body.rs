//! Reading a body: capped in size and time, whatever its framing and compression.
//!
//! A body is not yet proven to be anybody's while it is read, so all of them together share one
//! [`Budget`]: strangers can fill it and be refused, but they cannot fill the memory.
//!
//! The cap holds three times: for the `content-length` before anything is read, for the bytes on
//! the wire, and for the bytes after decompression, which is counted while inflating, so that a
//! small bomb cannot become a large buffer.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use flate2::write::{GzDecoder, ZlibDecoder};
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;

use super::context::RequestContext;
use super::problem::Problem;

/// What is read of a body that is too large, so that its sender gets to see the answer.
const MAX_DISCARDED_BYTES: usize = 16 << 20;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// The bytes that all bodies together may occupy (`max_inflight_body_bytes`); cheap to clone.
#[derive(Clone)]
pub(crate) struct Budget {
    used: Arc<AtomicUsize>,
    max_bytes: usize,
}

impl Budget {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { used: Arc::default(), max_bytes }
    }

    /// The bytes in use, and the limit.
    pub(crate) fn level(&self) -> (usize, usize) {
        (self.used.load(Ordering::Relaxed), self.max_bytes)
    }
}

/// A part of a [`Budget`], given back when dropped.
struct Reservation {
    budget: Budget,
    bytes: usize,
}

impl Reservation {
    fn none(budget: &Budget) -> Self {
        Self { budget: budget.clone(), bytes: 0 }
    }

    fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let used = self.budget.used.fetch_add(bytes, Ordering::AcqRel);
        let others = used.saturating_sub(self.bytes);
        self.bytes += bytes;
        // A body within its own limit passes when it is alone, however small the budget is.
        if others > 0 && used + bytes > self.budget.max_bytes {
            return Err(Problem::Unavailable { detail: "Too many bodies are being received." });
        }
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// A body as its sender wrote it, counted in the budget for as long as this lives.
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    _reservation: Reservation,
}

/// What a body may be.
pub(crate) struct BodyLimits<'a> {
    pub(crate) max_bytes: usize,
    pub(crate) timeout: Duration,
    pub(crate) budget: &'a Budget,
}

/// Reads the whole body and undoes its content encoding.
///
/// # Errors
/// 413 when it is larger than allowed, 408 when it takes too long, 415 for an unknown encoding, 400
/// for broken framing or damaged compression, and 503 when the budget is used up.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: Body,
    limits: &BodyLimits<'_>,
) -> Result<Received, Problem> {
    let received = receive(headers, &mut body, limits).await;
    if let Err(Problem::BodyTooLarge { .. } | Problem::UnsupportedEncoding | Problem::Unavailable { .. }) =
        received
    {
        discard(headers, &mut body).await;
    }
    received
}

async fn receive(headers: &HeaderMap, body: &mut Body, limits: &BodyLimits<'_>) -> Result<Received, Problem> {
    let max_bytes = limits.max_bytes;
    let encoding = Encoding::of(headers)?;
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > max_bytes as u64) {
        return Err(Problem::BodyTooLarge { max_bytes });
    }
    let mut reservation = Reservation::none(limits.budget);
    let collecting = collect(body, max_bytes, &mut reservation);
    let raw = match tokio::time::timeout(limits.timeout, collecting).await {
        Ok(collected) => collected?,
        Err(_) => return Err(Problem::BodyTimeout { timeout: limits.timeout }),
    };
    let capped = || Capped::new(max_bytes);
    let bytes = match encoding {
        Encoding::Identity => raw,
        Encoding::Gzip => inflate(GzDecoder::new(capped()), &raw, GzDecoder::finish, max_bytes)?,
        Encoding::Deflate => inflate(ZlibDecoder::new(capped()), &raw, ZlibDecoder::finish, max_bytes)?,
    };
    if encoding != Encoding::Identity {
        reservation.grow(bytes.len())?;
    }
    Ok(Received { bytes, _reservation: reservation })
}

/// The content encodings that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let Some(value) = values.next() else { return Ok(Self::Identity) };
        let name = value.to_str().unwrap_or_default().trim().to_ascii_lowercase();
        match (name.as_str(), values.next()) {
            ("identity", None) => Ok(Self::Identity),
            ("gzip" | "x-gzip", None) => Ok(Self::Gzip),
            ("deflate", None) => Ok(Self::Deflate),
            _ => Err(Problem::UnsupportedEncoding),
        }
    }
}

/// Answers a request whose body nobody wants, without breaking the connection under its sender.
pub(crate) async fn refuse_unread(
    context: &RequestContext,
    problem: &Problem,
    headers: &HeaderMap,
    mut body: Body,
) -> Response {
    let read_to_its_end = discard(headers, &mut body).await;
    let mut response = context.refuse(problem);
    if !read_to_its_end {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Reads on for a while after the answer is known, and says whether the body's end was reached.
///
/// Closing a connection while its client still sends makes the client's kernel throw the answer
/// away, and the client sees a broken pipe instead of the answer. A client that asked first
/// (`expect: 100-continue`) is still waiting with its body and reads the answer at once.
async fn discard(headers: &HeaderMap, body: &mut Body) -> bool {
    if headers.contains_key(EXPECT) {
        return false;
    }
    let reading = async {
        let mut left = MAX_DISCARDED_BYTES;
        while let Ok(Some(chunk)) = next_chunk(body).await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(DISCARD_TIMEOUT, reading).await.unwrap_or(false)
}

async fn collect(body: &mut Body, max_bytes: usize, reservation: &mut Reservation) -> Result<Bytes, Problem> {
    // Most bodies arrive in one frame, which is then handed on without a copy.
    let Some(first) = next_chunk(body).await? else { return Ok(Bytes::new()) };
    if first.len() > max_bytes {
        return Err(Problem::BodyTooLarge { max_bytes });
    }
    reservation.grow(first.len())?;
    let Some(second) = next_chunk(body).await? else { return Ok(first) };
    let mut whole = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if whole.len() + chunk.len() > max_bytes {
            return Err(Problem::BodyTooLarge { max_bytes });
        }
        reservation.grow(chunk.len())?;
        whole.extend_from_slice(&chunk);
        next = next_chunk(body).await?;
    }
    Ok(whole.freeze())
}

async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::BodyBroken)?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn inflate<D: Write>(
    mut decoder: D,
    raw: &[u8],
    finish: fn(D) -> std::io::Result<Capped>,
    max_bytes: usize,
) -> Result<Bytes, Problem> {
    let inflated = decoder.write_all(raw).and_then(|()| finish(decoder));
    match inflated {
        Ok(capped) => Ok(capped.bytes.into()),
        Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            Err(Problem::BodyTooLarge { max_bytes })
        }
        Err(_) => Err(Problem::BadEncoding),
    }
}

/// A buffer that refuses to grow past its cap.
struct Capped {
    bytes: Vec<u8>,
    max_bytes: usize,
}

impl Capped {
    fn new(max_bytes: usize) -> Self {
        Self { bytes: Vec::new(), max_bytes }
    }
}

impl Write for Capped {
    fn write(&mut self, chunk: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + chunk.len() > self.max_bytes {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn read_with(encoding: &str, body: Vec<u8>, max_bytes: usize) -> Result<Bytes, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        let budget = Budget::new(1 << 30);
        let limits = BodyLimits { max_bytes, timeout: Duration::from_secs(5), budget: &budget };
        let received = read(&headers, Body::from(body), &limits).await.map(|received| received.bytes);
        assert_eq!(budget.level().0, 0, "what was reserved is given back");
        received
    }

    #[tokio::test]
    async fn compressed_bodies_are_inflated() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"hello").unwrap();
        assert_eq!(read_with("gzip", gzip(b"hello"), 64).await.unwrap(), "hello");
        assert_eq!(read_with("deflate", zlib.finish().unwrap(), 64).await.unwrap(), "hello");
        assert_eq!(read_with("identity", b"hello".to_vec(), 64).await.unwrap(), "hello");
    }

    #[tokio::test]
    async fn a_bomb_is_too_large_however_small_it_is() {
        let bomb = gzip(&vec![0; 10 << 20]);
        assert!(bomb.len() < 20_000);
        assert_eq!(read_with("gzip", bomb, 1 << 20).await, Err(Problem::BodyTooLarge { max_bytes: 1 << 20 }));
    }

    #[tokio::test]
    async fn damaged_and_unknown_encodings_are_refused() {
        let mut cut = gzip(b"hello hello hello");
        cut.truncate(cut.len() - 6);
        assert_eq!(read_with("gzip", cut, 100).await, Err(Problem::BadEncoding));
        assert_eq!(read_with("br", vec![1], 100).await, Err(Problem::UnsupportedEncoding));
        assert_eq!(read_with("gzip, gzip", vec![1], 100).await, Err(Problem::UnsupportedEncoding));
    }

    #[tokio::test]
    async fn exactly_the_limit_passes() {
        assert!(read_with("identity", vec![0; 100], 100).await.is_ok());
        assert_eq!(
            read_with("identity", vec![0; 101], 100).await,
            Err(Problem::BodyTooLarge { max_bytes: 100 })
        );
    }

    #[tokio::test]
    async fn bodies_share_one_budget() {
        let budget = Budget::new(150);
        let limits = BodyLimits { max_bytes: 200, timeout: Duration::from_secs(5), budget: &budget };
        let body = |bytes: usize| Body::from(vec![b'x'; bytes]);
        let first = read(&HeaderMap::new(), body(100), &limits).await.unwrap();
        assert_eq!(budget.level(), (100, 150));
        let second = read(&HeaderMap::new(), body(100), &limits).await;
        assert!(matches!(second, Err(Problem::Unavailable { .. })));
        drop(first);
        assert!(read(&HeaderMap::new(), body(200), &limits).await.is_ok(), "a lone body passes");
        assert_eq!(budget.level().0, 0);
    }
}
