//! Writing to the terminal: data to standard output, everything else to standard error, colours
//! only where a person looks and has not asked for none (<https://no-color.org>).

use std::io::{IsTerminal, Write};

use super::failure::Failure;

/// Writes data, to the last byte.
pub(super) fn print(data: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut stdout = std::io::stdout();
    stdout.write_all(data.as_ref()).and_then(|()| stdout.flush()).map_err(|error| Failure::output(&error))
}

/// Writes a line for people.
pub(super) fn say(line: &str) {
    // Nobody can be told when standard error is gone.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether standard error may be coloured.
pub(super) fn colors() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Red on a terminal.
pub(super) fn red(text: &str) -> String {
    styled(text, "31;1")
}

/// Green on a terminal.
pub(super) fn green(text: &str) -> String {
    styled(text, "32;1")
}

/// Bold on a terminal.
pub(super) fn bold(text: &str) -> String {
    styled(text, "1")
}

fn styled(text: &str, style: &str) -> String {
    if colors() { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Makes text from outside harmless for a terminal: control characters become visible.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
