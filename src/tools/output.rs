//! Where a tool's data goes: standard output or a new file. A reader that hangs up is no failure.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use super::Error;

/// Lines are gathered up to this size before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// A tool's data on its way out.
pub struct Output {
    writer: BufWriter<Box<dyn Write>>,
    /// For messages.
    name: String,
}

impl Output {
    /// Standard output.
    pub fn standard() -> Output {
        let writer: Box<dyn Write> = Box::new(io::stdout());
        let writer = BufWriter::with_capacity(BUFFER_BYTES, writer);
        Output { writer, name: "standard output".into() }
    }

    /// A new file; standard output where none is given.
    ///
    /// # Errors
    /// It exists, or cannot be created.
    pub fn to(path: Option<&Path>) -> Result<Output, Error> {
        let Some(path) = path else { return Ok(Output::standard()) };
        let created = File::create_new(path);
        let file = created.map_err(|source| Error::Create { path: path.to_owned(), source })?;
        let writer: Box<dyn Write> = Box::new(file);
        let writer = BufWriter::with_capacity(BUFFER_BYTES, writer);
        Ok(Output { writer, name: path.display().to_string() })
    }

    /// Writes a line.
    ///
    /// # Errors
    /// The reader is gone, or the file cannot be written.
    pub fn line(&mut self, line: &str) -> Result<(), Error> {
        let written = self.writer.write_all(line.as_bytes());
        let written = written.and_then(|()| self.writer.write_all(b"\n"));
        self.checked(written)
    }

    /// Hands out what was gathered.
    ///
    /// # Errors
    /// As for [`Output::line`].
    pub fn flush(&mut self) -> Result<(), Error> {
        let flushed = self.writer.flush();
        self.checked(flushed)
    }

    fn checked(&self, done: io::Result<()>) -> Result<(), Error> {
        done.map_err(|source| match source.kind() {
            io::ErrorKind::BrokenPipe => Error::ReaderGone,
            _ => Error::Output { to: self.name.clone(), source },
        })
    }
}
