//! Bytes of output to lines, of which none is without measure.

/// A longer line comes in parts of this many bytes, so that one line is never a large record.
pub const LINE_BYTES_MAX: usize = 16 << 10;

/// The beginning of a line that has not ended.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u8>);

impl Lines {
    /// Takes bytes in; the lines that ended with them, without their ends.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (piece, has_ended) = match piece.strip_suffix(b"\n") {
                Some(piece) => (piece, true),
                None => (piece, false),
            };
            self.0.extend_from_slice(piece);
            while self.0.len() > LINE_BYTES_MAX {
                let behind = self.0.split_off(boundary(&self.0));
                lines.push(text(&std::mem::replace(&mut self.0, behind)));
            }
            if has_ended {
                let line = std::mem::take(&mut self.0);
                lines.push(text(line.strip_suffix(b"\r").unwrap_or(&line)));
            }
        }
        lines
    }

    /// The last line, which has no end.
    pub(super) fn end(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.0);
        (!line.is_empty()).then(|| text(&line))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The last place of a long line where no character is cut.
fn boundary(line: &[u8]) -> usize {
    let is_inside = |at: &usize| line[*at] & 0xc0 == 0x80;
    (LINE_BYTES_MAX - 3..=LINE_BYTES_MAX).rev().find(|at| !is_inside(at)).unwrap_or(LINE_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_greatest_length_is_one_and_a_longer_one_is_two() {
        let whole = "x".repeat(LINE_BYTES_MAX);
        let mut lines = Lines::default();
        let taken = lines.take(format!("{whole}\n").as_bytes());
        assert_eq!(taken, std::slice::from_ref(&whole));
        let parts = lines.take(format!("{whole}y\nz").as_bytes());
        assert_eq!(parts, [whole, "y".into()]);
        assert_eq!(lines.end().as_deref(), Some("z"));
        assert_eq!(lines.end(), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_cut_too() {
        let mut lines = Lines::default();
        let told = lines.take(&vec![0x80; 3 * LINE_BYTES_MAX]);
        assert_eq!(told.len(), 2);
    }
}
