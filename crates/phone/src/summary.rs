//! What a call was like, from its answer to its end.

use std::time::{Duration, Instant};

use media::Way;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::report::quality;
use crate::{Quality, Verdict};

/// Verdicts kept of a call.
const MOST_VERDICTS: usize = 32;

/// What a call was like. Figures begin with the answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CallSummary {
    /// Codec used last, as in SDP.
    pub codec: Option<String>,
    /// The media was encrypted at the end.
    pub encrypted: bool,
    /// The crypto suite then, as in SDP.
    pub suite: Option<String>,
    /// The way its sound took at the end.
    pub path: Option<PathSeen>,
    /// The microphone used last, by its name; none for a file.
    pub microphone: Option<String>,
    /// The speaker used last, by its name; none for a file.
    pub speaker: Option<String>,
    /// How it sounded here on the whole.
    pub quality: Option<Quality>,
    /// RTP packets received.
    pub rx_packets: u32,
    /// RTP packets sent.
    pub tx_packets: u32,
    /// Packets that never came.
    pub lost: u32,
    /// Packets that came too late to be played.
    pub late: u32,
    /// Sound invented in place of missing packets, milliseconds.
    pub concealed_ms: u32,
    /// Sound brought back by FEC and DRED, milliseconds.
    pub repaired_ms: u32,
    /// Packets of ours that never came there, by its own count; none where it does not say.
    pub lost_there: Option<u32>,
    /// Estimated listening quality here, 1 to 5.
    pub mos: Option<Spread>,
    /// Estimated listening quality there, by its own word (RFC 3611, section 4.7); none where it does not say.
    pub mos_there: Option<f32>,
    /// Interarrival jitter here, milliseconds.
    pub jitter_ms: Option<Spread>,
    /// Interarrival jitter there, milliseconds.
    pub jitter_there_ms: Option<Spread>,
    /// Delay added by the jitter buffer, milliseconds.
    pub delay_ms: Option<Spread>,
    /// Round trip by RTCP, milliseconds.
    pub rtt_ms: Option<Spread>,
    /// What was wrong with its sound, in order; the first of them, should there be very many.
    pub verdicts: Vec<VerdictSeen>,
}

/// How round the way of a call's sound was (ICE, RFC 8445).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum PathSeen {
    /// Where the description or their sound said: ICE was not used.
    Plain,
    /// Nowhere: ICE found no way.
    Blocked,
    /// From machine to machine.
    Direct,
    /// Through a NAT.
    Reflexive,
    /// Over a TURN server.
    Relayed,
}

/// A figure over a call.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// Lowest.
    pub least: f32,
    /// Mean over time.
    pub mean: f32,
    /// Highest.
    pub most: f32,
}

/// A verdict as it was told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VerdictSeen {
    /// What was wrong.
    pub verdict: Verdict,
    /// Seconds after the answer.
    pub at_s: f32,
    /// Seconds it stood.
    pub lasted_s: f32,
}

/// Keeps it up.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    begun: Option<Instant>,
    /// Of mos, jitter, jitter there, delay, round trip.
    figures: [Mean; 5],
    /// What it lacked to what the codec can give, of the quality estimate.
    lacking: Mean,
    last: CallSummary,
    standing: Option<(Verdict, Instant)>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Mean {
    spread: Option<Spread>,
    count: u32,
}

impl Mean {
    fn note(&mut self, figure: f32) {
        self.count = self.count.saturating_add(1);
        let spread = self.spread.get_or_insert(Spread { least: figure, mean: figure, most: figure });
        spread.least = spread.least.min(figure);
        spread.most = spread.most.max(figure);
        spread.mean += (figure - spread.mean) / self.count as f32;
    }
}

impl Ledger {
    /// Figures of the answered call, a few times a second.
    pub(crate) fn note(&mut self, now: Instant, figures: &media::Report) {
        self.begun.get_or_insert(now);
        let [mos, jitter, jitter_there, delay, rtt] = &mut self.figures;
        if figures.rx_packets > 0 {
            mos.note(figures.mos);
            self.lacking.note(figures.best_mos - figures.mos);
            jitter.note(figures.jitter_ms);
            delay.note(figures.delay_ms);
        }
        if let Some(far) = figures.far.filter(|far| far.hears) {
            jitter_there.note(far.jitter_ms);
            self.last.lost_there = Some(far.lost);
            self.last.mos_there = far.voip.and_then(|voip| voip.mos).or(self.last.mos_there);
        }
        if let Some(trip) = figures.rtt_ms {
            rtt.note(trip);
        }
        self.last.path = match figures.way {
            Way::Plain => Some(PathSeen::Plain),
            Way::Searching => self.last.path,
            Way::Blocked => Some(PathSeen::Blocked),
            Way::Direct => Some(PathSeen::Direct),
            Way::Reflexive => Some(PathSeen::Reflexive),
            Way::Relayed => Some(PathSeen::Relayed),
        };
        self.last.rx_packets = figures.rx_packets;
        self.last.tx_packets = figures.tx_packets;
        self.last.lost = figures.lost;
        self.last.late = figures.late;
        self.last.concealed_ms = figures.concealed_ms;
        self.last.repaired_ms = figures.fec_ms.saturating_add(figures.dred_ms);
    }

    /// Microphone and speaker that it goes through now.
    pub(crate) fn note_devices(&mut self, [microphone, speaker]: [Option<&str>; 2]) {
        for (kept, used) in [(&mut self.last.microphone, microphone), (&mut self.last.speaker, speaker)] {
            // One that is lost was still the last.
            if let Some(used) = used.filter(|used| kept.as_deref() != Some(used)) {
                *kept = Some(used.to_owned());
            }
        }
    }

    /// What is wrong with its sound from now on.
    pub(crate) fn verdict(&mut self, now: Instant, verdict: Option<Verdict>) {
        if self.standing.map(|(standing, _)| standing) == verdict {
            return;
        }
        if let (Some((verdict, since)), Some(begun)) = (self.standing.take(), self.begun)
            && self.last.verdicts.len() < MOST_VERDICTS
        {
            self.last.verdicts.push(VerdictSeen {
                verdict,
                at_s: since.saturating_duration_since(begun).as_secs_f32(),
                lasted_s: now.saturating_duration_since(since).as_secs_f32(),
            });
        }
        self.standing = verdict.map(|verdict| (verdict, now));
    }

    /// The whole of it; none where the call was never answered.
    pub(crate) fn close(
        mut self,
        now: Instant,
        codec: Option<String>,
        suite: Option<String>,
    ) -> Option<CallSummary> {
        self.begun?;
        self.verdict(now, None);
        let [mos, jitter_ms, jitter_there_ms, delay_ms, rtt_ms] = self.figures.map(|mean| mean.spread);
        let quality = match self.lacking.spread {
            Some(lacking) => quality(lacking.mean, Duration::ZERO),
            None => Quality::Nothing,
        };
        let encrypted = suite.is_some();
        Some(CallSummary {
            codec,
            encrypted,
            quality: Some(quality),
            suite,
            mos,
            jitter_ms,
            jitter_there_ms,
            delay_ms,
            rtt_ms,
            ..self.last
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_never_answered_has_no_summary() {
        assert_eq!(Ledger::default().close(Instant::now(), None, None), None);
    }

    #[test]
    fn figures_are_told_as_least_mean_and_most() {
        let (mut ledger, now) = (Ledger::default(), Instant::now());
        for mos in [4.0, 3.0, 2.0] {
            let figures = media::Report {
                rx_packets: 10,
                mos,
                best_mos: 4.2,
                fec_ms: 60,
                dred_ms: 40,
                ..media::Report::nothing_yet()
            };
            ledger.note(now, &figures);
        }
        let summary = ledger.close(now, Some("opus".into()), None).unwrap();
        assert_eq!(summary.mos, Some(Spread { least: 2.0, mean: 3.0, most: 4.0 }));
        assert_eq!((summary.rx_packets, summary.repaired_ms, summary.lost_there), (10, 100, None));
        assert_eq!(summary.path, Some(PathSeen::Plain));
        assert_eq!((summary.quality, summary.suite.as_deref()), (Some(Quality::Choppy), None));
        assert_eq!((summary.rtt_ms, summary.codec.as_deref()), (None, Some("opus")));
    }

    #[test]
    fn verdicts_are_kept_with_their_times_and_not_without_end() {
        let (mut ledger, begun) = (Ledger::default(), Instant::now());
        ledger.note(begun, &media::Report::nothing_yet());
        for n in 0..100u64 {
            let at = begun + Duration::from_secs(10 * n + 5);
            ledger.verdict(at, Some(Verdict::Muted));
            ledger.verdict(at + Duration::from_secs(1), Some(Verdict::Muted));
            ledger.verdict(at + Duration::from_secs(2), None);
        }
        let summary = ledger.close(begun + Duration::from_secs(2_000), None, None).unwrap();
        assert_eq!(summary.verdicts.len(), MOST_VERDICTS);
        let first = VerdictSeen { verdict: Verdict::Muted, at_s: 5.0, lasted_s: 2.0 };
        assert_eq!(summary.verdicts.first(), Some(&first));
    }
}
