//! Chance that is the same for the same seed.

/// Numbers that look random.
pub struct Dice(pub u64);

impl Dice {
    /// One of `sides` numbers, from 0 on.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }
}
