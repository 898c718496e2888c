//! RLP, written: what headers and receipts of the execution layer are made of.

/// Bytes.
pub(crate) fn bytes(content: &[u8]) -> Vec<u8> {
    match content {
        [small @ 0..=0x7f] => vec![*small],
        _ => framed(0x80, content),
    }
}

/// A number: its bytes without zeros in front.
pub(crate) fn number(digits: &[u8]) -> Vec<u8> {
    let first = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
    bytes(digits.get(first..).unwrap_or_default())
}

/// A list of values that are written already.
pub(crate) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    framed(0xc0, &items.concat())
}

/// A head and what follows it: its length in one byte, or the length of its length.
fn framed(base: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = length.iter().position(|digit| *digit != 0).unwrap_or(length.len());
    let digits = length.get(digits..).unwrap_or_default();
    let mut all = Vec::with_capacity(content.len().saturating_add(9));
    match digits {
        [] => all.push(base),
        [short @ 0..=55] => all.push(base.saturating_add(*short)),
        _ => {
            let count = u8::try_from(digits.len()).unwrap_or(u8::MAX);
            all.push(base.saturating_add(55).saturating_add(count));
            all.extend_from_slice(digits);
        }
    }
    all.extend_from_slice(content);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the yellow paper, appendix B, and against the other writer of this project.
    #[test]
    fn values_are_written_as_the_definition_says() {
        assert_eq!(bytes(b"dog"), [0x83, b'd', b'o', b'g']);
        assert_eq!((bytes(&[]), bytes(&[0]), bytes(&[0x80])), (vec![0x80], vec![0], vec![0x81, 0x80]));
        assert_eq!((number(&[0, 0]), number(&[0, 4, 0])), (vec![0x80], vec![0x82, 4, 0]));
        assert_eq!(list(&[]), [0xc0]);
        for length in [1, 2, 55, 56, 255, 256, 65_535, 65_536] {
            let content = vec![0xee; length];
            assert_eq!(bytes(&content), fixtures::encode_bytes(&content), "{length}");
            let items = [bytes(&content), bytes(&[1])];
            assert_eq!(list(&items), fixtures::encode_list(&items), "{length}");
        }
    }
}
