//! FAISS's index files `IxFI` (flat, inner product) and `IxM2` (the same with ids), read and written without FAISS, byte for byte as it
//! writes them.
//!
//! All numbers are little-endian. A flat index is `"IxFI"`, then of 4 bytes the dimensions, of 8 bytes each the number of vectors and twice
//! 2^20, which FAISS keeps for old readers, a byte that is 1, of 4 bytes the metric (0, the inner product), of 8 bytes how many numbers
//! follow, and these. An index with ids is `"IxM2"`, the same 33 bytes, the flat index, of 8 bytes how many ids follow, and these.

mod words;

use std::io::{Read, Write};

pub(super) use words::{Reader, write_floats, write_integers, write_words};

use crate::error::{Error, ErrorKind, Result};

const OPERATION: &str = "winners.read_file";
const FLAT: [u8; 4] = *b"IxFI";
const WITH_IDS: [u8; 4] = *b"IxM2";
/// What FAISS writes where older versions had something else.
const UNUSED: u64 = 1 << 20;
const INNER_PRODUCT: u32 = 0;

/// What is in an index file.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexFile {
    /// How many numbers each vector has.
    pub dimensions: usize,
    /// The vectors, one behind the other, as they are in the file.
    pub vectors: Vec<f32>,
    /// The id of each vector, in a file that has ids.
    pub ids: Option<Vec<i64>>,
}

/// Reads an index file of `length` bytes.
///
/// Nothing that the file says of itself is believed: no more is allocated than it has bytes.
///
/// # Errors
/// [`Corrupt`](ErrorKind::Corrupt) for a file that is cut off, goes on behind its end, contradicts itself, or is another kind of
/// index; [`Unavailable`](ErrorKind::Unavailable) when it cannot be read.
pub fn read_index(from: impl Read, length: u64) -> Result<IndexFile> {
    let mut reader = Reader::new(OPERATION, from, length);
    let file = match reader.array::<4>("the kind of index")? {
        FLAT => {
            let header = Header::read(&mut reader)?;
            IndexFile { dimensions: header.dimensions, vectors: flat(&mut reader, &header)?, ids: None }
        }
        WITH_IDS => with_ids(&mut reader)?,
        other => return Err(foreign(other)),
    };
    reader.end()?;
    Ok(file)
}

fn with_ids<R: Read>(reader: &mut Reader<R>) -> Result<IndexFile> {
    let outer = Header::read(reader)?;
    match reader.array::<4>("the kind of the inner index")? {
        FLAT => {}
        other => return Err(foreign(other)),
    }
    let header = Header::read(reader)?;
    if (header.dimensions, header.count) != (outer.dimensions, outer.count) {
        return Err(reader.corrupt("the index and the one inside it differ in size"));
    }
    let vectors = flat(reader, &header)?;
    let count = reader.u64("the number of ids")?;
    if count != header.count {
        return Err(reader.corrupt(format!("{count} ids for {} vectors", header.count)));
    }
    let ids = reader.integers(count, "the ids")?;
    Ok(IndexFile { dimensions: header.dimensions, vectors, ids: Some(ids) })
}

/// What every index begins with.
struct Header {
    dimensions: usize,
    count: u64,
}

impl Header {
    fn read<R: Read>(reader: &mut Reader<R>) -> Result<Self> {
        let dimensions = reader.u32("the dimensions")?;
        let count = reader.u64("the number of vectors")?;
        let unused = [reader.u64("the header")?, reader.u64("the header")?];
        let [trained] = reader.array::<1>("the header")?;
        let metric = reader.u32("the metric")?;
        if metric != INNER_PRODUCT {
            let message = format!("its metric is {metric}, not the inner product (0)");
            return Err(reader.corrupt(message));
        }
        if unused != [UNUSED; 2] || trained != 1 {
            return Err(reader.corrupt("its header is not one that FAISS writes"));
        }
        if !(1..=1 << 30).contains(&dimensions) {
            return Err(reader.corrupt(format!("it says that vectors have {dimensions} dimensions")));
        }
        Ok(Self { dimensions: dimensions as usize, count })
    }

    fn write(&self, to: &mut impl Write) -> std::io::Result<()> {
        to.write_all(&u32::try_from(self.dimensions).unwrap_or(u32::MAX).to_le_bytes())?;
        to.write_all(&self.count.to_le_bytes())?;
        to.write_all(&UNUSED.to_le_bytes())?;
        to.write_all(&UNUSED.to_le_bytes())?;
        to.write_all(&[1])?;
        to.write_all(&INNER_PRODUCT.to_le_bytes())
    }
}

fn flat<R: Read>(reader: &mut Reader<R>, header: &Header) -> Result<Vec<f32>> {
    let numbers = reader.u64("the size of the vectors")?;
    if header.count.checked_mul(header.dimensions as u64) != Some(numbers) {
        let message = format!("{numbers} numbers are not {} vectors of {}", header.count, header.dimensions);
        return Err(reader.corrupt(message));
    }
    reader.floats(numbers, "the vectors")
}

fn foreign(kind: [u8; 4]) -> Error {
    let known = match &kind {
        b"IxF2" | b"IxFl" => ": a flat index of distances; build it with IndexFlatIP",
        b"IxMp" => ": an index with ids of the kind IndexIDMap; build it with IndexIDMap2",
        b"IHNf" => ": a graph; give the flat index that it was built from",
        _ => "",
    };
    let message = format!(
        "the file is no index of the kinds IxFI and IxM2: it begins with {:?}{known}",
        String::from_utf8_lossy(&kind)
    );
    Error::new(ErrorKind::Corrupt, OPERATION, message)
}

/// Writes `vectors` of `dimensions` each as FAISS writes an `IndexFlatIP`, or with `ids` an `IndexIDMap2` of one.
///
/// # Errors
/// What `to` answers. `vectors` that are not whole, and other than one id for each, are an error before anything is written.
pub fn write_index(
    to: &mut impl Write,
    dimensions: usize,
    vectors: &[f32],
    ids: Option<&[i64]>,
) -> std::io::Result<()> {
    let count = vectors.len() / dimensions.max(1);
    if count * dimensions != vectors.len() || ids.is_some_and(|ids| ids.len() != count) {
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "not one id for each whole vector",
        ));
    }
    let header = Header { dimensions, count: count as u64 };
    if ids.is_some() {
        to.write_all(&WITH_IDS)?;
        header.write(to)?;
    }
    to.write_all(&FLAT)?;
    header.write(to)?;
    to.write_all(&(vectors.len() as u64).to_le_bytes())?;
    write_floats(to, vectors)?;
    if let Some(ids) = ids {
        to.write_all(&header.count.to_le_bytes())?;
        write_integers(to, ids)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `faiss.serialize_index` of faiss-cpu 1.15.1 for an `IndexFlatIP(2)` with (1, 0) and (0, -0.5).
    const FLAT_BY_FAISS: &str = "49784649020000000200000000000000000010000000000000001000000000000100000000\
        04000000000000000000803f0000000000000000000000bf";
    /// The same in an `IndexIDMap2` with the ids 7 and -3.
    const WITH_IDS_BY_FAISS: &str = "49784d32020000000200000000000000000010000000000000001000000000000100000000\
        49784649020000000200000000000000000010000000000000001000000000000100000000\
        04000000000000000000803f0000000000000000000000bf\
        02000000000000000700000000000000fdffffffffffffff";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| u8::try_from(16 * pair[0] + pair[1]).unwrap()).collect()
    }

    fn read(bytes: &[u8]) -> Result<IndexFile> {
        read_index(bytes, bytes.len() as u64)
    }

    #[test]
    fn files_of_faiss_are_read_and_written_to_the_byte() {
        for (hex, ids) in [(FLAT_BY_FAISS, None), (WITH_IDS_BY_FAISS, Some(vec![7, -3]))] {
            let original = bytes(hex);
            let file = read(&original).unwrap();
            assert_eq!(file, IndexFile { dimensions: 2, vectors: vec![1.0, 0.0, 0.0, -0.5], ids });
            let mut written = Vec::new();
            write_index(&mut written, file.dimensions, &file.vectors, file.ids.as_deref()).unwrap();
            assert_eq!(written, original);
        }
        assert_eq!(bytes(FLAT_BY_FAISS).len(), 45 + 16);
    }

    #[test]
    fn every_cut_and_anything_behind_is_told() {
        for hex in [FLAT_BY_FAISS, WITH_IDS_BY_FAISS] {
            let whole = bytes(hex);
            for cut in 0..whole.len() {
                let error = read(&whole[..cut]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupt, "cut at {cut}");
                // The file shrinks while it is read.
                let error = read_index(&whole[..cut], whole.len() as u64).unwrap_err();
                assert!(error.message().contains("cut off"), "{error}");
            }
            let error = read(&[&whole[..], &[0]].concat()).unwrap_err();
            assert!(error.message().contains("1 bytes behind"), "{error}");
        }
    }

    #[test]
    fn another_index_is_named() {
        let mut other = bytes(FLAT_BY_FAISS);
        other[..4].copy_from_slice(b"IxF2");
        assert!(read(&other).unwrap_err().message().contains("IndexFlatIP"));
        let mut metric = bytes(FLAT_BY_FAISS);
        metric[33] = 1;
        assert!(read(&metric).unwrap_err().message().contains("its metric is 1"));
        assert_eq!(read(b"PK\x03\x04 a zip").unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn a_claim_is_no_reason_to_allocate() {
        let mut huge = bytes(FLAT_BY_FAISS);
        huge[8..16].copy_from_slice(&(1_u64 << 59).to_le_bytes());
        huge[37..45].copy_from_slice(&(1_u64 << 60).to_le_bytes());
        let error = read(&huge).unwrap_err();
        assert!(error.message().contains("cut off"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Anything is read or refused, whatever is wrong with it; what is read is written to the same bytes.
        #[test]
        fn damage_is_found_or_harmless(
            with_ids: bool,
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            noise in prop::collection::vec(any::<u8>(), 0..200),
            only_noise: bool,
        ) {
            let mut file = bytes(if with_ids { WITH_IDS_BY_FAISS } else { FLAT_BY_FAISS });
            for (at, byte) in damage {
                let at = at.index(file.len());
                file[at] = byte;
            }
            if only_noise {
                file.truncate(4);
                file.extend(noise);
            }
            if let Ok(read) = read(&file) {
                let mut written = Vec::new();
                write_index(&mut written, read.dimensions, &read.vectors, read.ids.as_deref()).unwrap();
                prop_assert_eq!(written, file);
            }
        }
    }
}
