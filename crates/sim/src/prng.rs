//! A generator of numbers that a seed fixes for ever: SplitMix64 (Steele, Lea and Flood, 2014).

/// Numbers from a seed.
#[derive(Clone, Debug)]
pub struct Prng(u64);

impl Prng {
    /// The numbers of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not zero. The bias of the remainder is far below what a test could notice.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// A number in `low ..= high`.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + u32::try_from(self.below(u64::from(high - low) + 1)).expect("the remainder fits")
    }

    /// Whether something of `percent` in a hundred happens.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items, if there are any.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(items.len()).expect("a length fits");
        if count == 0 { None } else { items.get(usize::try_from(self.below(count)).expect("an index fits")) }
    }

    /// An amount of about as many bits as chance has it, `1 ..= most`.
    pub fn amount(&mut self, most: u128) -> u128 {
        let bits = 128 - most.leading_zeros();
        let size = self.below(u64::from(bits.max(1))) + 1;
        let number = (u128::from(self.bits()) << 64) | u128::from(self.bits());
        let cut = number >> (128 - size);
        cut.clamp(1, most.max(1))
    }
}
