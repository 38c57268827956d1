//! Writes TIFF files tag by tag, so that every tag can lie.

/// A value of a tag.
#[derive(Debug, Clone)]
pub enum Value {
    /// 16-bit numbers.
    Shorts(Vec<u16>),
    /// 32-bit numbers.
    Longs(Vec<u32>),
    /// An entry as it stands: type, count, and the four bytes of value or offset.
    Raw(u16, u32, u32),
}

/// A file in the making: little-endian TIFF with its data first and its directories behind.
pub struct TinyTiff {
    bytes: Vec<u8>,
    /// Where the offset of the next directory has to be written.
    link: usize,
}

impl TinyTiff {
    pub fn new() -> Self {
        TinyTiff {
            bytes: b"II*\0\0\0\0\0".to_vec(),
            link: 4,
        }
    }

    /// Adds data and returns where it is.
    pub fn data(&mut self, data: &[u8]) -> u32 {
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(data);
        at
    }

    /// Adds a directory at the end of the chain and returns where it is.
    pub fn directory(&mut self, tags: &[(u16, Value)]) -> u32 {
        let at = self.loose_directory(tags);
        self.bytes[self.link..self.link + 4].copy_from_slice(&at.to_le_bytes());
        self.link = self.bytes.len() - 4;
        at
    }

    /// Adds a directory that nothing points to yet.
    pub fn loose_directory(&mut self, tags: &[(u16, Value)]) -> u32 {
        let mut entries = Vec::new();
        for (tag, value) in tags {
            let (kind, count, bytes): (u16, usize, Vec<u8>) = match value {
                Value::Shorts(v) => (3, v.len(), v.iter().flat_map(|n| n.to_le_bytes()).collect()),
                Value::Longs(v) => (4, v.len(), v.iter().flat_map(|n| n.to_le_bytes()).collect()),
                Value::Raw(kind, count, value) => {
                    (*kind, *count as usize, value.to_le_bytes().to_vec())
                }
            };
            let mut field = bytes;
            if field.len() > 4 {
                field = self.data(&field).to_le_bytes().to_vec();
            }
            field.resize(4, 0);
            entries.extend(tag.to_le_bytes());
            entries.extend(kind.to_le_bytes());
            entries.extend((count as u32).to_le_bytes());
            entries.extend(field);
        }
        let at = self.data(&(tags.len() as u16).to_le_bytes());
        self.data(&entries);
        self.data(&[0; 4]);
        at
    }

    /// Makes the last directory of the chain point back to a place.
    pub fn next(&mut self, at: u32) {
        self.bytes[self.link..self.link + 4].copy_from_slice(&at.to_le_bytes());
    }

    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// The tags of a tiled RGB image whose tiles all have the same bytes.
pub fn tiled(size: (u32, u32), tile: u32, compression: u16, at: u32, count: u32) -> Tags {
    let tiles = (size.0.div_ceil(tile.max(1)) * size.1.div_ceil(tile.max(1))) as usize;
    vec![
        (256, Value::Longs(vec![size.0])),
        (257, Value::Longs(vec![size.1])),
        (258, Value::Shorts(vec![8, 8, 8])),
        (259, Value::Shorts(vec![compression])),
        (262, Value::Shorts(vec![2])),
        (277, Value::Shorts(vec![3])),
        (322, Value::Longs(vec![tile])),
        (323, Value::Longs(vec![tile])),
        (324, Value::Longs(vec![at; tiles])),
        (325, Value::Longs(vec![count; tiles])),
    ]
}

/// Tags with their values, in order.
pub type Tags = Vec<(u16, Value)>;

/// The tags with one set to another value.
pub fn with(mut tags: Tags, tag: u16, value: Value) -> Tags {
    tags.retain(|(other, _)| *other != tag);
    tags.push((tag, value));
    tags.sort_by_key(|(tag, _)| *tag);
    tags
}
