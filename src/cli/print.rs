//! How listings are printed: aligned columns for people, JSON for tools.

use std::io::{Write, stdout};
use std::process::ExitCode;

use serde::Serialize;

/// `--json`, as every listing has it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Form {
    /// Print JSON, for tools; errors become {"error": "…"}
    #[arg(long)]
    pub json: bool,
}

impl Form {
    /// Prints `result`, which people read as `lines`.
    pub fn print(self, result: &impl Serialize, lines: impl FnOnce() -> String) {
        if self.json {
            json(result);
        } else {
            write(&lines());
        }
    }

    /// Tells of an error: on stderr, or as JSON where the result would be.
    pub fn fail(self, error: impl ToString) -> ExitCode {
        let error = error.to_string();
        if self.json {
            json(&serde_json::json!({ "error": error }));
        } else {
            eprintln!("codec-proxy: {error}");
        }
        ExitCode::FAILURE
    }
}

/// Rows under their heads, each column as wide as its widest cell.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let rows = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| plain(cell)));
    let lines: Vec<_> = std::iter::once(heads.map(str::to_owned))
        .chain(rows)
        .collect();
    let mut widths = [0; N];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; N]| {
        let padded = cells.iter().zip(widths);
        let padded: Vec<_> = padded.map(|(c, width)| format!("{c:width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    lines.iter().map(line).collect()
}

/// Whoever may declare a table decides its names and comments: no control character of theirs
/// reaches the terminal.
fn plain(cell: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    cell.chars().map(escape).collect()
}

fn json(result: &impl Serialize) {
    match serde_json::to_string_pretty(result) {
        Ok(text) => write(&format!("{text}\n")),
        Err(error) => eprintln!("codec-proxy: {error}"),
    }
}

/// Nobody may be reading any more; the exit code still tells.
fn write(text: &str) {
    let _ = stdout().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let rows = [["blob", "→ →", "x"], ["a", "", "y"]].map(|row| row.map(str::to_owned));
        assert_eq!(
            table(["NAME", "A", "B"], &rows),
            "NAME  A    B\nblob  → →  x\na          y\n"
        );
        assert_eq!(table(["NAME", "A"], &[]), "NAME  A\n");
    }

    #[test]
    fn no_control_character_is_printed() {
        let rows = [["a\n\u{1b}[2J".to_owned()]];
        assert_eq!(table(["N"], &rows), "N\na\\n\\u{1b}[2J\n");
    }
}
