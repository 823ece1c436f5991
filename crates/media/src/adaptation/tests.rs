use super::*;

const OURS: OpusParameters = OpusParameters { dred: true, ..OpusParameters::NOTHING_SAID };
const STEP: Duration = Duration::from_secs(4);

struct Path {
    adaptation: Adaptation,
    now: Instant,
}

impl Path {
    fn new(peer: OpusParameters) -> Self {
        Self { adaptation: Adaptation::new(peer, 20), now: Instant::now() }
    }

    /// So many reports of this loss in bursts of this length, with this round trip.
    fn reports(&mut self, count: usize, loss: f32, burst: u32, trip_ms: f32) -> OpusSettings {
        for _ in 0..count {
            self.now += STEP;
            let lost = (loss * 2.0) as u32;
            self.adaptation.holes(lost, lost.div_ceil(burst));
            self.adaptation.reported(self.now, loss, Some(trip_ms));
        }
        self.adaptation.settings()
    }
}

#[test]
fn a_clean_path_is_spoken_into_at_full_band() {
    let settings = Path::new(OURS).reports(5, 0.4, 1, 40.0);
    assert_eq!(settings, OpusSettings::CLEAN);
}

#[test]
fn where_nothing_is_ever_lost_all_bits_go_into_the_sound() {
    let mut path = Path::new(OURS);
    assert_eq!(path.reports(2, 0.0, 1, 40.0), OpusSettings::CLEAN);
    let spotless = OpusSettings { fec: false, loss: 0, ..OpusSettings::CLEAN };
    assert_eq!(path.reports(1, 0.0, 1, 40.0), spotless);
    assert_eq!(path.reports(1, 0.4, 1, 40.0), OpusSettings::CLEAN);
    assert_eq!(path.reports(3, 0.0, 1, 40.0), spotless);
    // Packets queue: fewer bits, and FEC beside them.
    assert_eq!(path.reports(1, 0.0, 1, 150.0), OpusSettings { bit_rate: 48_000, ..OpusSettings::CLEAN });
    let asks = OpusParameters { most_bit_rate: 32_000, ..OURS };
    let few = OpusSettings { bit_rate: 32_000, ..OpusSettings::CLEAN };
    assert_eq!(Path::new(asks).reports(9, 0.0, 1, 40.0), few);
}

#[test]
fn a_stranger_gets_fec_and_nothing_else_whatever_is_lost() {
    for (loss, burst) in [(3.0, 1), (10.0, 1), (30.0, 1), (5.0, 4), (20.0, 4)] {
        let settings = Path::new(OpusParameters::NOTHING_SAID).reports(5, loss, burst, 40.0);
        assert_eq!((settings.bit_rate, settings.fec, settings.dred_ms), (64_000, true, 0), "{loss} {burst}");
        assert_eq!(settings.loss, loss.clamp(5.0, 25.0) as u8);
        assert!(settings.wideband);
    }
}

#[test]
fn who_reads_dred_gets_it_where_it_is_worth_it() {
    for (loss, burst, bit_rate, dred_ms) in [
        (3.0, 4, 64_000, 0),
        (5.0, 1, 64_000, 0),
        (10.0, 1, 64_000, 100),
        (5.0, 3, 64_000, 120),
        (10.0, 4, 64_000, 140),
        (20.0, 4, 64_000, 200),
    ] {
        let settings = Path::new(OURS).reports(5, loss, burst, 40.0);
        assert_eq!(
            (settings.bit_rate, settings.dred_ms, settings.fec),
            (bit_rate, dred_ms, true),
            "{loss} {burst}"
        );
        assert!(settings.dred_ms == 0 || settings.loss == 25);
    }
}

#[test]
fn up_at_once_and_down_after_ten_seconds() {
    let mut path = Path::new(OURS);
    path.reports(9, 0.0, 1, 40.0);
    assert_eq!(path.reports(1, 12.0, 1, 40.0).dred_ms, 100);
    assert_eq!(path.reports(2, 0.0, 1, 40.0).dred_ms, 100);
    assert_eq!(path.reports(1, 0.2, 1, 40.0), OpusSettings::CLEAN);
}

#[test]
fn what_the_other_side_asks_for_is_obeyed() {
    let asks = OpusParameters { most_bit_rate: 20_000, fec: false, dtx: true, wideband: true, dred: false };
    let settings = Path::new(asks).reports(3, 8.0, 1, 40.0);
    assert_eq!(
        settings,
        OpusSettings { bit_rate: 20_000, wideband: true, fec: false, loss: 8, dred_ms: 0, dtx: true }
    );
}

#[test]
fn a_bit_rate_at_which_packets_queue_is_given_up_and_tried_again_later() {
    let mut path = Path::new(OURS);
    path.reports(9, 0.0, 1, 40.0);
    assert_eq!(path.reports(1, 10.0, 4, 50.0).bit_rate, 64_000);
    let held = path.reports(1, 10.0, 4, 150.0);
    assert_eq!((held.bit_rate, held.fec, held.dred_ms), (48_000, true, 140));
    let lower = path.reports(1, 5.0, 4, 180.0);
    assert_eq!(lower.bit_rate, 32_000);
    assert_eq!(path.reports(1, 5.0, 4, 180.0).bit_rate, 24_000);
    assert_eq!(path.reports(5, 5.0, 4, 50.0).bit_rate, 24_000, "not at once");
    assert_eq!(path.reports(8, 5.0, 4, 50.0).bit_rate, 32_000);
    assert_eq!(path.reports(16, 5.0, 4, 50.0).bit_rate, 64_000);
}

#[test]
fn a_bit_rate_after_which_more_is_lost_is_given_up() {
    let mut path = Path::new(OURS);
    path.reports(9, 0.0, 1, 40.0);
    assert_eq!(path.reports(1, 0.0, 1, 150.0).bit_rate, 48_000, "packets queued");
    assert_eq!(path.reports(8, 0.0, 1, 40.0).bit_rate, 64_000, "tried again");
    assert_eq!(path.reports(1, 30.0, 4, 40.0).bit_rate, 48_000);
}

#[test]
fn a_jittery_path_is_not_taken_for_a_full_one() {
    let mut path = Path::new(OURS);
    for trip in [90.0, 130.0, 100.0, 150.0, 110.0, 140.0] {
        assert_eq!(path.reports(1, 10.0, 1, trip).bit_rate, 64_000);
    }
}

#[test]
fn where_bits_are_few_fec_and_dred_do_not_starve_each_other() {
    for (most, loss, burst, fec, declared, dred_ms) in [
        (24_000, 10.0, 1, true, 10, 0),
        (24_000, 10.0, 4, false, 20, 140),
        (32_000, 5.0, 4, false, 10, 140),
        (32_000, 12.0, 4, true, 30, 140),
        (40_000, 12.0, 1, true, 12, 0),
        (40_000, 16.0, 1, true, 25, 100),
    ] {
        let settings =
            Path::new(OpusParameters { most_bit_rate: most, ..OURS }).reports(3, loss, burst, 40.0);
        assert_eq!(
            (settings.bit_rate, settings.fec, settings.loss, settings.dred_ms),
            (most, fec, declared, dred_ms),
            "{most} {loss} {burst}"
        );
    }
}
