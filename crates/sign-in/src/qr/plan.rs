//! The ways to look at a picture, in the order in which they are worth trying.

use secrecy::SecretString;

use super::decoders;
use super::grey::Grey;

/// How the picture is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// As it is.
    Plain,
    /// White for black.
    Inverted,
    /// Full contrast, noise evened out.
    Smooth,
    /// Half the size, which evens out more noise and finer moiré.
    Half,
    /// A quarter of the size.
    Quarter,
    /// The middle, twice as large: a small code.
    Middle,
    /// Every part twice as large.
    Double,
    /// Black or white by what is near.
    Local,
    /// Half the size, then black or white by what is near.
    LocalHalf,
}

/// Who looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Eyes {
    /// The crate `rqrr`: tilted codes.
    Rqrr,
    /// The crate `rxing`: small, turned and blurred codes.
    Rxing,
}

/// One way to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt(Sight, Eyes);

/// What is tried on frames and pictures.
pub(super) const ATTEMPTS: &[Attempt] = &[
    Attempt(Sight::Plain, Eyes::Rxing),
    Attempt(Sight::Plain, Eyes::Rqrr),
    Attempt(Sight::Half, Eyes::Rxing),
    Attempt(Sight::Half, Eyes::Rqrr),
    Attempt(Sight::Smooth, Eyes::Rxing),
    Attempt(Sight::Smooth, Eyes::Rqrr),
    Attempt(Sight::Inverted, Eyes::Rxing),
    Attempt(Sight::LocalHalf, Eyes::Rqrr),
    Attempt(Sight::Local, Eyes::Rxing),
    Attempt(Sight::Local, Eyes::Rqrr),
    Attempt(Sight::Middle, Eyes::Rxing),
    Attempt(Sight::Middle, Eyes::Rqrr),
    Attempt(Sight::Quarter, Eyes::Rxing),
    Attempt(Sight::Inverted, Eyes::Rqrr),
];

/// What is worth its time on a still picture only.
pub(super) const STILL_ONLY: &[Attempt] =
    &[Attempt(Sight::Double, Eyes::Rxing), Attempt(Sight::Double, Eyes::Rqrr)];

impl Attempt {
    /// What it costs on `grey`, in pixels looked at by the dearer decoder.
    pub(super) fn cost(self, grey: &Grey) -> u64 {
        let pixels = grey.len() as u64;
        let (prepared, seen) = match self.0 {
            Sight::Plain => (0, pixels),
            Sight::Inverted => (pixels / 8, pixels),
            Sight::Smooth | Sight::Local => (pixels / 3, pixels),
            Sight::Half => (pixels / 8, pixels / 4),
            Sight::LocalHalf => (pixels / 4, pixels / 4),
            Sight::Quarter => (pixels / 8, pixels / 16),
            Sight::Middle => (pixels / 3, pixels),
            Sight::Double => (4 * pixels / 3, 4 * pixels),
        };
        let looked = match self.1 {
            Eyes::Rqrr => seen,
            Eyes::Rxing => seen / 2,
        };
        prepared + looked
    }

    /// The texts it finds.
    pub(super) fn run(self, grey: &Grey) -> Vec<SecretString> {
        let prepared = match self.0 {
            Sight::Plain => return self.look(grey),
            Sight::Inverted => grey.inverted(),
            Sight::Smooth => grey.stretched().blurred(),
            Sight::Half => grey.halved(),
            Sight::Quarter => grey.halved().halved(),
            Sight::Middle => grey.middle().doubled(),
            Sight::Double => grey.doubled(),
            Sight::Local => grey.locally_black_or_white(grey.width() / 24),
            Sight::LocalHalf => {
                let half = grey.halved();
                half.locally_black_or_white(half.width() / 24)
            }
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
