//! W3C trace context: who called, and how the trace goes on.
//!
//! A well-formed `traceparent` is continued: the trace id stays and Tidegate's own span takes the
//! caller's place as parent. A missing or malformed one starts a new trace, as the recommendation
//! asks (<https://www.w3.org/TR/trace-context/>, section 3.2); it is never an error of the request.

use std::fmt;

/// The longest `tracestate` that is carried on, in bytes; the recommendation asks for at least 512.
pub const MAX_TRACESTATE_BYTES: usize = 512;

/// One span of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    flags: u8,
    state: Option<String>,
}

impl TraceContext {
    /// Starts a new, sampled trace.
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8]) -> Self {
        const SAMPLED: u8 = 1;
        Self { trace_id, span_id, flags: SAMPLED, state: None }
    }

    /// Reads a `traceparent` header with its `tracestate`; `None` when it is not well-formed.
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let version: [u8; 1] = hex_lower(parts.next()?)?;
        let trace_id: [u8; 16] = hex_lower(parts.next()?)?;
        let span_id: [u8; 8] = hex_lower(parts.next()?)?;
        let flags: [u8; 1] = hex_lower(parts.next()?)?;
        // Version ff is forbidden; versions after 00 may append fields, version 00 may not.
        let tail_allowed = version[0] != 0;
        if version[0] == 0xff || trace_id == [0; 16] || span_id == [0; 8] {
            return None;
        }
        if parts.next().is_some() && !tail_allowed {
            return None;
        }
        let state = tracestate.filter(|s| !s.is_empty() && s.len() <= MAX_TRACESTATE_BYTES);
        Some(Self { trace_id, span_id, flags: flags[0] & 1, state: state.map(String::from) })
    }

    /// The span of this process within the same trace.
    #[must_use]
    pub fn child(&self, span_id: [u8; 8]) -> Self {
        Self { span_id, ..self.clone() }
    }

    /// The trace id, 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        hex::encode(self.trace_id)
    }

    /// The span id, 16 hexadecimal digits.
    pub fn span_id(&self) -> String {
        hex::encode(self.span_id)
    }

    /// The `tracestate` that came with it.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// Writes the `traceparent` header.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id(), self.span_id(), self.flags)
    }
}

/// Decodes exactly `N` bytes of lower-case hexadecimal; the recommendation allows no capitals.
fn hex_lower<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut out = [0; N];
    hex::decode_to_slice(text, &mut out).ok().map(|()| out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_is_continued_with_a_span_of_its_own() {
        let caller = TraceContext::parse(PARENT, Some("vendor=1")).unwrap();
        assert_eq!(caller.to_string(), PARENT);
        let own = caller.child([7; 8]);
        assert_eq!(own.trace_id(), caller.trace_id());
        assert_eq!(own.span_id(), "0707070707070707");
        assert_eq!(own.state(), Some("vendor=1"));
    }

    #[test]
    fn malformed_parents_are_ignored() {
        let zero_trace = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let upper = PARENT.to_uppercase();
        let tail = format!("{PARENT}-more");
        for text in
            ["", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", &zero_trace, &upper, &tail]
        {
            assert_eq!(TraceContext::parse(text, None), None, "{text}");
        }
        let future = PARENT.replacen("00", "01", 1) + "-more";
        assert!(TraceContext::parse(&future, None).is_some());
    }
}
