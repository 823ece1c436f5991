use serde::{Deserialize, Serialize};
use specta::Type;

use super::{AccountId, CallId, CodecPreference, ProtectionView, UnixMs};
use crate::{FeatureCodes, Verdict};

/// Who began a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// They called.
    Incoming,
    /// We called.
    Outgoing,
}

/// The other end of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PeerView {
    /// Number or address, as a person would dial it.
    pub number: String,
    /// Name, where one was sent.
    pub name: Option<String>,
    /// Where the PBX of the account has a picture of whom the contacts know by the number
    /// ([`ContactView::picture`](crate::ContactView::picture)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub picture: Option<String>,
}

/// Where a call stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CallState {
    /// Outgoing: sent, nothing heard of the other phone yet.
    Calling,
    /// Outgoing: the other phone rings.
    Ringing,
    /// Incoming: our phone rings.
    Incoming,
    /// Answered; both can talk.
    Active {
        /// When it was answered.
        since: UnixMs,
    },
    /// Answered, and put to sleep by us: neither hears the other.
    Held {
        /// When it was answered.
        since: UnixMs,
    },
    /// Over.
    Ended {
        /// How.
        end: CallEnd,
    },
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CallEnd {
    /// Why.
    pub reason: EndReason,
    /// SIP status that ended it, where there was one.
    pub status: Option<u16>,
    /// Seconds it lasted since it was answered.
    pub lasted_s: Option<u32>,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum EndReason {
    /// We hung up.
    HungUpHere,
    /// They hung up.
    HungUpThere,
    /// We gave up before it was answered.
    Cancelled,
    /// They gave up before we answered, or were not to disturb us.
    Missed,
    /// We refused it.
    DeclinedHere,
    /// They refused it (603 and like).
    Declined,
    /// They are busy (486, 600).
    Busy,
    /// Nobody answered (408, 480, 487 from the server).
    NoAnswer,
    /// There is no such number (404, 484, 604).
    NotFound,
    /// The PBX does not allow this call (401, 403, 407).
    Forbidden,
    /// The two phones have no codec in common (415, 488, 606).
    NoCommonCodec,
    /// One of the two phones must encrypt, the other does not.
    NotEncrypted,
    /// Nothing answers: the network or the PBX is gone.
    Unreachable,
    /// The connection was lost in mid-call.
    ConnectionLost,
    /// It was handed on: its other end talks to somebody else now.
    Transferred,
    /// Another phone of ours answered it.
    AnsweredElsewhere,
    /// A microphone, speaker or audio file could not be used.
    AudioFailed,
    /// Anything else.
    Failed,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CallView {
    /// Its number.
    pub id: CallId,
    /// Account it belongs to.
    pub account: AccountId,
    /// Who began it.
    pub direction: Direction,
    /// The other end.
    pub peer: PeerView,
    /// Where it stands.
    pub state: CallState,
    /// Nothing is heard of us.
    pub muted: bool,
    /// We talk all the same, and may not know it.
    pub muted_talk: bool,
    /// They have put us to sleep; music of theirs may be heard.
    pub remote_held: bool,
    /// It is one of the calls that are brought together: all hear each other.
    pub merged: bool,
    /// Who forwarded it here.
    pub diverted_by: Option<PeerView>,
    /// The call it goes on from, where its other end was handed on or over to us: that one is about to end.
    pub follows: Option<CallId>,
    /// Its other end is being handed on.
    pub transfer: Option<TransferView>,
    /// DTMF digits sent so far.
    pub digits: String,
    /// Digits that are sent once the user says so (`SendWaiting`).
    pub digits_waiting: Option<String>,
    /// Codec in use, as in SDP (`opus`, `PCMU`).
    pub codec: Option<String>,
    /// How its sound is protected.
    pub protection: ProtectionView,
    /// Milliseconds from INVITE to its 2xx, or from Answer to ACK.
    pub setup_ms: Option<u32>,
    /// Why somebody cannot hear, as far as can be told; none while all is well.
    pub verdict: Option<Verdict>,
    /// It is being recorded.
    pub recording: bool,
    /// The file it was recorded into last.
    pub recorded: Option<String>,
}

/// A call being handed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TransferView {
    /// To whom, as a person would dial it.
    pub to: String,
    /// SIP status that the other end heard last.
    pub status: Option<u16>,
}

/// What a caller who is refused is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DeclineReason {
    /// Busy (486): a PBX goes on to voicemail or to its rule for busy.
    #[default]
    Busy,
    /// Not wanted (603).
    Decline,
    /// Nobody is here (480): other phones of ours ring on.
    NotHere,
}

/// What the user prefers in calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct CallPreferences {
    /// Incoming calls are refused (486) and shown as missed.
    pub do_not_disturb: bool,
    /// A call that the PBX wants answered at once is answered by itself, with a warning tone.
    pub auto_answer: bool,
    /// Somebody outside of a call may let this phone dial (REFER out of a dialog).
    pub click_to_dial: bool,
    /// How digits are sent.
    pub dtmf: DtmfMode,
    /// Others are told whether we talk, or are not to be disturbed (PUBLISH).
    pub publish_presence: bool,
    /// Star codes where the PBX does not tell its own.
    pub codes: FeatureCodes,
    /// Codecs, best first. What a PBX's profile file settles for an account comes before it.
    pub codecs: Vec<CodecPreference>,
    /// Silence need not be sent: packets are left out in pauses where the other side can do without (DTX, comfort
    /// noise).
    pub leave_out_silence: bool,
    /// How calls are recorded.
    pub recording: RecordingPreferences,
    /// How long calls stay in the call list.
    pub keep_calls: KeepCalls,
}

/// How long calls stay in the call list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum KeepCalls {
    /// As long as there is room.
    #[default]
    Always,
    /// 365 days.
    Year,
    /// 90 days.
    Quarter,
    /// 30 days.
    Month,
}

impl KeepCalls {
    /// The time before which nothing is kept, where there is one.
    pub(crate) fn since(self, now: UnixMs) -> Option<UnixMs> {
        let days = match self {
            Self::Always => return None,
            Self::Year => 365,
            Self::Quarter => 90,
            Self::Month => 30,
        };
        Some(UnixMs(now.0.saturating_sub(days * 24 * 3_600_000)))
    }
}

/// How calls are recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct RecordingPreferences {
    /// Every call is, from its answer on.
    pub automatic: bool,
    /// Folder of the files; one in the data directory where it is left out.
    pub folder: Option<String>,
    /// What the other side hears of it.
    pub notice: RecordingNotice,
}

/// What the other side hears of a recording. The law of many countries wants it to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum RecordingNotice {
    /// A short tone at the beginning and every fifteen seconds.
    #[default]
    Tone,
    /// Nothing.
    None,
    /// A sound at the beginning.
    File {
        /// A WAV file.
        path: String,
    },
}

/// How digits are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DtmfMode {
    /// As was agreed on: events, else tones where the codec keeps them whole, else INFO.
    #[default]
    Automatic,
    /// telephone-event (RFC 4733), or what is next best.
    Event,
    /// SIP INFO (`application/dtmf-relay`).
    Info,
    /// Tones in the voice.
    InBand,
}

/// Quality in words: 3, 2, 1, 0 bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Quality {
    /// Clear both ways.
    Clear,
    /// A little choppy.
    Choppy,
    /// Breaking up.
    Breaking,
    /// Nothing arrives.
    Nothing,
}

/// Figures of a running call.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CallReport {
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
    /// Interarrival jitter (RFC 3550, section 6.4.1), milliseconds.
    pub jitter_ms: f32,
    /// Delay added by the jitter buffer, milliseconds.
    pub delay_ms: f32,
    /// Round trip by RTCP, milliseconds.
    pub rtt_ms: Option<f32>,
    /// Estimated listening quality, 1 to 5.
    pub mos: f32,
    /// The same in words.
    pub quality: Quality,
    /// Peak level of their voice since the last report, 0 to 100.
    pub level_in: u8,
    /// Peak level of our voice since the last report, 0 to 100.
    pub level_out: u8,
    /// How round the way of the media is; the window does not show it yet.
    #[serde(skip)]
    #[specta(skip)]
    pub way: media::Way,
}
