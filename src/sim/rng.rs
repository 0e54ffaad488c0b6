//! Repeatable chance: the same seed gives the same story.

/// A xorshift generator. It decides names and delays; nothing secret comes from it.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// A generator for one purpose: equal seeds with different purposes share no sequence.
    pub(super) fn new(seed: u64, purpose: &str) -> Rng {
        // One round of splitmix64 spreads neighbouring seeds; xorshift must not start at zero.
        let mut mixed = seed ^ fnv1a(&[purpose]);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Rng((mixed ^ (mixed >> 31)).max(1))
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// A number from `range.0` up to `range.1`.
    pub(super) fn between(&mut self, range: (f64, f64)) -> f64 {
        let unit = (self.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        range.0 + unit * (range.1 - range.0)
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.between((0.0, 1.0)) < probability
    }

    /// One of `choices`, which is not empty.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

/// 128 bits in the form of a version 4 UUID.
pub(super) fn uuid_of(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

/// A short name for some text: the FNV-1a hash of the parts, a zero byte after each.
pub(super) fn fnv1a(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

/// `length` characters (at most 12) that the cluster uses in generated names: neither vowels nor
/// look-alikes.
pub(super) fn safe_suffix(mut bits: u64, length: usize) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut suffix = String::new();
    for _ in 0..length {
        suffix.push(char::from(ALPHABET[(bits % 27) as usize]));
        bits /= 27;
    }
    suffix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_sequence_a_purpose() {
        let take = |seed, purpose| {
            let mut rng = Rng::new(seed, purpose);
            [rng.bits(), rng.bits(), rng.bits()]
        };
        assert_eq!(take(7, "pods"), take(7, "pods"));
        assert_ne!(take(7, "pods"), take(7, "traffic"));
        assert_ne!(take(7, "pods"), take(8, "pods"));
    }

    #[test]
    fn ranges_hold() {
        let mut rng = Rng::new(0, "ranges");
        for _ in 0..1000 {
            assert!(rng.below(3) < 3);
            assert!((2.0..5.0).contains(&rng.between((2.0, 5.0))));
        }
    }

    #[test]
    fn uuids_have_their_form() {
        let uuid = uuid_of(u64::MAX, u64::MAX);
        assert_eq!(uuid, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
