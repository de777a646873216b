use std::io::{self, Read, Write};

use crate::error::{Error, ErrorKind, Result};

/// Bytes that are read or written at a time.
const CHUNK: usize = 256 * 1024;

/// Reads little-endian numbers, and no more than there is.
pub(crate) struct Reader<R> {
    operation: &'static str,
    from: R,
    left: u64,
    buffer: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// A reader of `length` bytes.
    pub(crate) fn new(operation: &'static str, from: R, length: u64) -> Self {
        Self { operation, from, left: length, buffer: Vec::new() }
    }

    pub(crate) fn corrupt(&self, problem: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Corrupt, self.operation, format!("the file cannot be used: {problem}"))
    }

    fn cut_off(&self, what: &str) -> Error {
        self.corrupt(format!("it is cut off in {what}"))
    }

    fn fill(&mut self, into: &mut [u8], what: &str) -> Result<()> {
        self.from.read_exact(into).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.cut_off(what),
            _ => Error::new(ErrorKind::Unavailable, self.operation, "the file cannot be read")
                .with_source(error),
        })?;
        self.left = self.left.saturating_sub(into.len() as u64);
        Ok(())
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        if self.left < N as u64 {
            return Err(self.cut_off(what));
        }
        let mut bytes = [0; N];
        self.fill(&mut bytes, what)?;
        Ok(bytes)
    }

    pub(crate) fn u32(&mut self, what: &str) -> Result<u32> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, what: &str) -> Result<u64> {
        self.array(what).map(u64::from_le_bytes)
    }

    pub(crate) fn floats(&mut self, count: u64, what: &str) -> Result<Vec<f32>> {
        self.numbers(count, what, f32::from_le_bytes)
    }

    pub(crate) fn words(&mut self, count: u64, what: &str) -> Result<Vec<u32>> {
        self.numbers(count, what, u32::from_le_bytes)
    }

    pub(crate) fn integers(&mut self, count: u64, what: &str) -> Result<Vec<i64>> {
        self.numbers(count, what, i64::from_le_bytes)
    }

    /// `count` numbers of `N` bytes. On a little-endian machine the conversion is a copy.
    fn numbers<T, const N: usize>(
        &mut self,
        count: u64,
        what: &str,
        number: impl Fn([u8; N]) -> T + Copy,
    ) -> Result<Vec<T>> {
        let bytes = count.checked_mul(N as u64).filter(|bytes| *bytes <= self.left);
        let (Some(_), Ok(count)) = (bytes, usize::try_from(count)) else { return Err(self.cut_off(what)) };
        let mut numbers = Vec::with_capacity(count);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(CHUNK, 0);
        while numbers.len() < count {
            let bytes = &mut buffer[..CHUNK.min((count - numbers.len()) * N)];
            self.fill(bytes, what)?;
            numbers.extend(bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)));
        }
        self.buffer = buffer;
        Ok(numbers)
    }

    /// Nothing may be left.
    pub(crate) fn end(&mut self) -> Result<()> {
        match self.left {
            0 => Ok(()),
            left => Err(self.corrupt(format!("there are {left} bytes behind its end"))),
        }
    }
}

pub(crate) fn write_floats(to: &mut impl Write, numbers: &[f32]) -> io::Result<()> {
    write_numbers(to, numbers, f32::to_le_bytes)
}

pub(crate) fn write_words(to: &mut impl Write, numbers: &[u32]) -> io::Result<()> {
    write_numbers(to, numbers, u32::to_le_bytes)
}

pub(crate) fn write_integers(to: &mut impl Write, numbers: &[i64]) -> io::Result<()> {
    write_numbers(to, numbers, i64::to_le_bytes)
}

fn write_numbers<T: Copy, const N: usize>(
    to: &mut impl Write,
    numbers: &[T],
    bytes: impl Fn(T) -> [u8; N] + Copy,
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(CHUNK);
    for numbers in numbers.chunks(CHUNK / N) {
        buffer.clear();
        buffer.extend(numbers.iter().flat_map(|&number| bytes(number)));
        to.write_all(&buffer)?;
    }
    Ok(())
}
