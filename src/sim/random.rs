//! The simulator's seeded random numbers: splitmix64.
//!
//! Good enough for noise, bounce and fault probabilities, and the same on every machine for the
//! same seed, so a failing run can be repeated. Not for secrets.

/// A splitmix64 generator (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// Starts the sequence that belongs to `seed`.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(super) const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// True with the given probability, 0.0 to 1.0.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        // 32 bits convert to f64 without loss.
        let high = u32::try_from(self.next_u64() >> 32).unwrap_or(u32::MAX);
        f64::from(high) / 4_294_967_296.0 < probability
    }

    /// A number below `bound`; 0 if that is 0.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next_u64() % bound }
    }

    /// `count` random bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next_u64().to_le_bytes()[0]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_is_the_published_one_and_repeats() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
        assert_eq!(Random::new(5).bytes(9), Random::new(5).bytes(9));
        assert_ne!(Random::new(5).bytes(9), Random::new(6).bytes(9));
    }

    #[test]
    fn chance_keeps_its_ends_and_its_middle() {
        let mut random = Random::new(3);
        assert!((0..100).all(|_| !random.chance(0.0)));
        assert!((0..100).all(|_| random.chance(1.0)));
        let hits = (0..10_000).filter(|_| random.chance(0.3)).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
    }
}
