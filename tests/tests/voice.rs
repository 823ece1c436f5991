//! The voice on a bad network, beside a foreign phone on the same one; and whether the bench that measures it can
//! tell.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use system_tests::{Heard, Hearing, Judge, Phone, Reading, Talk, hold, output_dir};

const SEED: u64 = 1;

/// One round of five calls: ours and baresip's where a tenth of the packets gets lost, and baresip's where none does,
/// where all do, and where there is no path at all.
#[test]
fn opus_under_loss_sounds_better_than_baresip_and_the_bench_can_tell() {
    let talk = |phone, cell: Option<&str>| {
        let impairment = cell.map(|cell| cell.parse().unwrap());
        Talk { phone, codec: "opus", impairment, seed: SEED }
    };
    let talks = [
        talk(Phone::Carillon, Some("loss10")),
        talk(Phone::Baresip, Some("loss10")),
        talk(Phone::Baresip, Some("loss100")),
        talk(Phone::Baresip, Some("loss0")),
        talk(Phone::Baresip, None),
    ];
    let heard = hold(&talks, &Reading::short(), &output_dir("voice"));
    let mut hearings: Vec<Hearing> = heard.iter().flatten().map(|heard| heard.hearing.clone()).collect();
    let [clean, _] = &heard[4];
    hearings.push(Hearing { reading: Reading::short().turned(), ..clean.hearing.clone() });
    let mut judge = Judge::start(false);
    let verdicts: Vec<_> = hearings.iter().map(|hearing| judge.judge(hearing)).collect();
    let mean = |hearings: &[usize]| {
        let all: Vec<f64> =
            hearings.iter().flat_map(|n| &verdicts[*n]).map(|verdict| verdict.pesq_wb).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    let [ours, theirs, nothing, zero, plain] = [0, 1, 2, 3, 4].map(|call| mean(&[2 * call, 2 * call + 1]));
    let swapped = mean(&[10]);
    println!("PESQ-WB at 10 % loss: ours {ours:.2}, baresip {theirs:.2}");
    println!("baresip: all lost {nothing:.2}, none lost {zero:.2}, no path {plain:.2}, swapped {swapped:.2}");
    for Heard { tally, .. } in heard[..2].iter().flatten() {
        println!("{:.1} % of {} packets lost in {} bursts", tally.loss_percent(), tally.sent, tally.bursts);
        assert!(tally.sent > 1_000 && (7.0..13.0).contains(&tally.loss_percent()), "{tally:?}");
    }
    assert!(ours >= theirs, "at 10 % loss: ours {ours:.2}, baresip {theirs:.2}");
    assert!(nothing < 1.1, "everything was lost, yet: {nothing:.2}");
    assert!(
        plain > 3.8 && (zero - plain).abs() < 0.25,
        "a path that does nothing: {zero:.2}, none: {plain:.2}"
    );
    assert!(swapped < 1.8, "other words than were said, yet: {swapped:.2}");
}
