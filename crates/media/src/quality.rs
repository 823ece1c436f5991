//! A live estimate of the listening quality, fitted to measured scores (PESQ-WB, ITU-T P.862.2).
//!
//! What counts is not the packets lost but what became of them, smoothed over ten seconds: the share of sound that
//! was invented counts whole, what FEC brought back and what DRED rebuilt count by the weights below. The curve over
//! this impairment goes through the scores of libopus 1.6.1 at 40 kbit/s without repair (all loss is invented) and
//! with FEC (lost packets whose follower came are brought back); the weights are those that lay the scores with FEC
//! and with DRED, random and in bursts, onto the same curve. Bursts need no term of their own: they are what FEC
//! does not mend. Delay takes from it what it takes from the E-model (ITU-T G.107, Id).

use crate::Codec;

/// What sound out of FEC costs beside invented sound.
pub(crate) const RECOVERED_WEIGHT: f32 = 0.09;
/// What sound out of DRED costs beside invented sound.
pub(crate) const REBUILT_WEIGHT: f32 = 0.55;

/// Impairment and score, by rising impairment.
type Curve = [(f32, f32)];

const OPUS: &Curve = &[
    (0.0, 4.42),
    (0.0035, 4.28),
    (0.007, 4.19),
    (0.018, 3.84),
    (0.05, 3.15),
    (0.10, 2.42),
    (0.20, 1.72),
    (0.30, 1.35),
    (1.0, 1.0),
];

/// The mean of three phones that conceal G.711, each in its own way.
const NARROW: &Curve =
    &[(0.0, 3.75), (0.01, 3.33), (0.03, 2.65), (0.05, 2.38), (0.10, 1.89), (0.20, 1.48), (1.0, 1.0)];

/// Delay of the parts that nobody measures, one way in milliseconds: packet, codec and sound cards.
const FIXED_DELAY_MS: f32 = 50.0;

fn curve(codec: Codec) -> &'static Curve {
    match codec {
        Codec::Opus => OPUS,
        _ => NARROW,
    }
}

/// The best that a codec gives: no loss, no delay.
pub(crate) fn best(codec: Codec) -> f32 {
    curve(codec).first().map_or(1.0, |(_, score)| *score)
}

/// Estimated score, 1 to 5, of what is heard with this impairment and delay.
pub(crate) fn score(codec: Codec, impairment: f32, network_one_way_ms: f32, buffer_ms: f32) -> f32 {
    let delay = network_one_way_ms + buffer_ms + FIXED_DELAY_MS;
    let delay_impairment = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
    let lost_to_delay = of_rating(93.2) - of_rating(93.2 - delay_impairment);
    (interpolate(curve(codec), impairment) - lost_to_delay).clamp(1.0, 5.0)
}

/// Score of an E-model rating (ITU-T G.107, annex B).
fn of_rating(rating: f32) -> f32 {
    let rating = rating.clamp(0.0, 100.0);
    1.0 + 0.035 * rating + 7e-6 * rating * (rating - 60.0) * (100.0 - rating)
}

fn interpolate(curve: &Curve, at: f32) -> f32 {
    let above = curve.partition_point(|(impairment, _)| *impairment <= at);
    match (above.checked_sub(1).and_then(|below| curve.get(below)), curve.get(above)) {
        (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (at - x0) / (x1 - x0),
        (Some((_, score)), None) | (None, Some((_, score))) => *score,
        (None, None) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How lost packets are mended.
    #[derive(Debug, Clone, Copy)]
    enum Repair {
        None,
        /// The packet after it.
        Fec,
        /// The nearest of so many packets after it; the first of them by FEC.
        Dred(i32),
    }

    /// Impairment at this loss, random (`burst` 1) or in bursts of this mean length.
    fn impairment(loss: f32, burst: f32, repair: Repair) -> f32 {
        // Chance that the packet after a lost one is lost too.
        let again = if burst > 1.0 { 1.0 - 1.0 / burst } else { loss };
        let mended = |packets: i32| 1.0 - again.powi(packets);
        let (fec, dred) = match repair {
            Repair::None => (0.0, 0.0),
            Repair::Fec => (mended(1), 0.0),
            Repair::Dred(packets) => (mended(1), mended(packets) - mended(1)),
        };
        loss * (1.0 - fec - dred + RECOVERED_WEIGHT * fec + REBUILT_WEIGHT * dred)
    }

    /// Loss, mean burst, repair, PESQ-WB measured.
    #[allow(clippy::approx_constant, reason = "a score of 3.14 is no circle")]
    const MEASURED: [(f32, f32, Repair, f32); 33] = [
        (0.0, 1.0, Repair::Fec, 4.42),
        (0.05, 1.0, Repair::None, 3.15),
        (0.10, 1.0, Repair::None, 2.42),
        (0.20, 1.0, Repair::None, 1.72),
        (0.05, 3.5, Repair::None, 3.14),
        (0.10, 3.5, Repair::None, 2.34),
        (0.20, 3.5, Repair::None, 1.59),
        // FEC at 40 kbit/s.
        (0.03, 1.0, Repair::Fec, 4.28),
        (0.05, 1.0, Repair::Fec, 4.19),
        (0.10, 1.0, Repair::Fec, 3.84),
        (0.20, 1.0, Repair::Fec, 3.04),
        (0.30, 1.0, Repair::Fec, 2.33),
        (0.03, 3.5, Repair::Fec, 3.77),
        (0.05, 3.5, Repair::Fec, 3.42),
        (0.10, 3.5, Repair::Fec, 2.68),
        (0.20, 3.5, Repair::Fec, 1.90),
        (0.30, 3.5, Repair::Fec, 1.50),
        // At 24, 32 and 64 kbit/s.
        (0.10, 1.0, Repair::Fec, 3.53),
        (0.20, 1.0, Repair::Fec, 2.79),
        (0.05, 1.0, Repair::Fec, 4.11),
        (0.10, 3.5, Repair::Fec, 2.66),
        (0.10, 1.0, Repair::Fec, 3.92),
        (0.05, 3.5, Repair::Fec, 3.45),
        // FEC and DRED at 40 kbit/s, three and five packets of look-ahead.
        (0.03, 3.5, Repair::Dred(3), 3.77),
        (0.05, 3.5, Repair::Dred(3), 3.54),
        (0.10, 3.5, Repair::Dred(3), 2.90),
        (0.20, 3.5, Repair::Dred(3), 2.22),
        (0.30, 3.5, Repair::Dred(3), 1.75),
        (0.03, 3.5, Repair::Dred(5), 3.81),
        (0.05, 3.5, Repair::Dred(5), 3.66),
        (0.10, 3.5, Repair::Dred(5), 3.15),
        (0.20, 3.5, Repair::Dred(5), 2.53),
        (0.30, 3.5, Repair::Dred(5), 2.02),
    ];

    #[test]
    fn opus_is_estimated_as_it_was_measured() {
        for (loss, burst, repair, measured) in MEASURED {
            // The scores know no delay.
            let estimate = score(Codec::Opus, impairment(loss, burst, repair), 0.0, -FIXED_DELAY_MS);
            assert!(
                (estimate - measured).abs() <= 0.35,
                "{loss} in bursts of {burst}, {repair:?}: {estimate} for {measured}"
            );
        }
    }

    #[test]
    fn g711_is_estimated_as_three_phones_were_measured() {
        for (loss, measured) in
            [(0.0, 3.69), (0.01, 3.31), (0.03, 2.62), (0.05, 2.40), (0.10, 1.89), (0.20, 1.48)]
        {
            let estimate = score(Codec::Pcmu, loss, 0.0, -FIXED_DELAY_MS);
            assert!((estimate - measured).abs() <= 0.35, "{loss}: {estimate} for {measured}");
        }
    }

    #[test]
    fn delay_costs_little_until_it_disturbs_the_talk() {
        let at = |one_way: f32| score(Codec::Opus, 0.0, one_way, 20.0);
        assert!(at(0.0) > 4.3 && at(80.0) > 4.2);
        assert!(at(300.0) < 3.7);
    }

    #[test]
    fn it_never_rises_with_impairment_and_stays_on_the_scale() {
        for codec in Codec::ALL {
            let scores: Vec<f32> = (0..=120).map(|n| score(codec, n as f32 / 100.0, 0.0, 0.0)).collect();
            assert!(scores.windows(2).all(|two| two[1] <= two[0]));
            assert!(scores.iter().all(|score| (1.0..=5.0).contains(score)));
            assert!(score(codec, 1.0, 5_000.0, 0.0) == 1.0);
        }
    }
}
