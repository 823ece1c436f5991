//! The ways to look at a picture, in the order in which they are worth trying.

use secrecy::SecretString;

use super::decoders;
use super::grey::Grey;
use super::marks::marks;

/// How the picture is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// As it is.
    Plain,
    /// White for black.
    Inverted,
    /// Half the size, which evens out noise and fine moiré.
    Half,
    /// Half the size, white for black.
    HalfInverted,
    /// Half the size, shadows and faint ink evened out.
    HalfEven,
    /// Full contrast, noise evened out.
    Smooth,
    /// Noise, shadows and faint ink evened out.
    Even,
    /// Noise evened out, edges sharpened.
    Sharp,
    /// The middle, twice as large: a small code.
    Middle,
    /// All of it twice as large.
    Double,
}

/// Who looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Eyes {
    /// The crate `rqrr`: codes tilted far.
    Rqrr,
    /// The crate `rxing`: nearly all others, and quicker.
    Rxing,
}

/// How many corner marks there seem to be in a picture: one code has three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Crowd {
    /// As many as people show at once.
    Few,
    /// As many as a sheet of codes has, or much noise pretends.
    Many,
    /// More than anybody needs.
    Hostile,
}

impl Crowd {
    pub(super) fn of(grey: &Grey) -> Self {
        match marks(grey, 700) {
            0..40 => Self::Few,
            40..700 if marks(&grey.blurred(), 100) < 100 => Self::Many,
            _ => Self::Hostile,
        }
    }
}

/// One way to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt(Sight, Eyes);

/// What is tried on frames and pictures, most codes for the least work first.
pub(super) const ATTEMPTS: &[Attempt] = &[
    Attempt(Sight::Half, Eyes::Rxing),
    Attempt(Sight::Plain, Eyes::Rxing),
    Attempt(Sight::HalfInverted, Eyes::Rxing),
    Attempt(Sight::HalfEven, Eyes::Rxing),
    Attempt(Sight::Middle, Eyes::Rxing),
    Attempt(Sight::Sharp, Eyes::Rxing),
    Attempt(Sight::Plain, Eyes::Rqrr),
    Attempt(Sight::Even, Eyes::Rxing),
    Attempt(Sight::Inverted, Eyes::Rxing),
    Attempt(Sight::Smooth, Eyes::Rxing),
    Attempt(Sight::Sharp, Eyes::Rqrr),
    Attempt(Sight::Half, Eyes::Rqrr),
    Attempt(Sight::Even, Eyes::Rqrr),
    Attempt(Sight::Inverted, Eyes::Rqrr),
    Attempt(Sight::Middle, Eyes::Rqrr),
];

/// What is worth its time on a still picture only.
pub(super) const STILL_ONLY: &[Attempt] =
    &[Attempt(Sight::Double, Eyes::Rxing), Attempt(Sight::Double, Eyes::Rqrr)];

impl Attempt {
    /// Whether its work stays bounded in such a crowd: that of `rqrr` grows with the third power of it.
    pub(super) fn bears(self, crowd: Crowd) -> bool {
        match self.1 {
            Eyes::Rqrr => crowd == Crowd::Few,
            Eyes::Rxing => crowd <= Crowd::Many,
        }
    }

    /// What it costs on `grey`, in pixels that `rqrr` looks at in the same time.
    pub(super) fn cost(self, grey: &Grey) -> u64 {
        let pixels = grey.len() as u64;
        let (prepared, seen) = match self.0 {
            Sight::Plain => (0, pixels),
            Sight::Inverted => (pixels / 16, pixels),
            Sight::Half | Sight::HalfInverted => (pixels / 16, pixels / 4),
            Sight::HalfEven => (pixels / 8, pixels / 4),
            Sight::Smooth => (pixels / 5, pixels),
            Sight::Even | Sight::Sharp => (pixels / 3, pixels),
            Sight::Middle => (pixels / 6, pixels),
            Sight::Double => (2 * pixels / 3, 4 * pixels),
        };
        let looked = match self.1 {
            Eyes::Rqrr => seen,
            Eyes::Rxing => seen / 4,
        };
        prepared + looked
    }

    /// The texts it finds.
    pub(super) fn run(self, grey: &Grey) -> Vec<SecretString> {
        let prepared = match self.0 {
            Sight::Plain => return self.look(grey),
            Sight::Inverted => grey.inverted(),
            Sight::Half => grey.halved(),
            Sight::HalfInverted => grey.halved().inverted(),
            Sight::HalfEven => grey.halved().evened(8, 4),
            Sight::Smooth => grey.stretched().blurred(),
            Sight::Even => grey.blurred().evened(25, 8),
            Sight::Sharp => grey.blurred().evened(6, 3),
            Sight::Middle => grey.middle().doubled(),
            Sight::Double => grey.doubled(),
        };
        self.look(&prepared)
    }

    fn look(self, grey: &Grey) -> Vec<SecretString> {
        match self.1 {
            Eyes::Rqrr => decoders::rqrr(grey),
            Eyes::Rxing => decoders::rxing(grey),
        }
    }
}
