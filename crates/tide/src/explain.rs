//! What each code means, with a text that has the mistake and one that has not: one file per code.

/// The explanations by code.
const EXPLANATIONS: [(&str, &str); 43] = [
    ("E0001", include_str!("explain/E0001.md")),
    ("E0002", include_str!("explain/E0002.md")),
    ("E0003", include_str!("explain/E0003.md")),
    ("E0004", include_str!("explain/E0004.md")),
    ("E0005", include_str!("explain/E0005.md")),
    ("E0006", include_str!("explain/E0006.md")),
    ("E0007", include_str!("explain/E0007.md")),
    ("E0008", include_str!("explain/E0008.md")),
    ("E0101", include_str!("explain/E0101.md")),
    ("E0102", include_str!("explain/E0102.md")),
    ("E0103", include_str!("explain/E0103.md")),
    ("E0104", include_str!("explain/E0104.md")),
    ("E0105", include_str!("explain/E0105.md")),
    ("E0106", include_str!("explain/E0106.md")),
    ("E0107", include_str!("explain/E0107.md")),
    ("E0108", include_str!("explain/E0108.md")),
    ("E0109", include_str!("explain/E0109.md")),
    ("E0110", include_str!("explain/E0110.md")),
    ("E0111", include_str!("explain/E0111.md")),
    ("E0112", include_str!("explain/E0112.md")),
    ("E0113", include_str!("explain/E0113.md")),
    ("E0201", include_str!("explain/E0201.md")),
    ("E0202", include_str!("explain/E0202.md")),
    ("E0203", include_str!("explain/E0203.md")),
    ("E0204", include_str!("explain/E0204.md")),
    ("E0205", include_str!("explain/E0205.md")),
    ("E0206", include_str!("explain/E0206.md")),
    ("E0207", include_str!("explain/E0207.md")),
    ("E0208", include_str!("explain/E0208.md")),
    ("E0209", include_str!("explain/E0209.md")),
    ("E0210", include_str!("explain/E0210.md")),
    ("E0211", include_str!("explain/E0211.md")),
    ("E0301", include_str!("explain/E0301.md")),
    ("E0302", include_str!("explain/E0302.md")),
    ("E0303", include_str!("explain/E0303.md")),
    ("E0304", include_str!("explain/E0304.md")),
    ("E0401", include_str!("explain/E0401.md")),
    ("E0402", include_str!("explain/E0402.md")),
    ("E0403", include_str!("explain/E0403.md")),
    ("W0501", include_str!("explain/W0501.md")),
    ("W0502", include_str!("explain/W0502.md")),
    ("W0503", include_str!("explain/W0503.md")),
    ("W0504", include_str!("explain/W0504.md")),
];

/// Explains a code of a diagnostic in Markdown: what it means, a program that is refused or pointed
/// out with it, and the same program corrected.
///
/// ```
/// let text = tide::explain("E0201").unwrap();
/// assert!(text.starts_with("# E0201: a value that may be absent is used as if it were there"));
/// assert_eq!(tide::explain("E9999"), None);
/// ```
pub fn explain(code: &str) -> Option<&'static str> {
    EXPLANATIONS.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
}

/// All codes that diagnostics can have, in their order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    EXPLANATIONS.iter().map(|(code, _)| *code)
}
