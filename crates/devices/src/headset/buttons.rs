//! A headset's buttons and lamps, against what the phone does: pure.

use super::descriptor::{DescriptorError, Field, Layout, Shape, Usage, raise, value};

// HID Usage Tables, telephony page.
const HOOK_SWITCH: Usage = 0x0b_0020;
const FLASH: Usage = 0x0b_0021;
const DROP: Usage = 0x0b_0026;
const PHONE_MUTE: Usage = 0x0b_002f;
const RINGER: Usage = 0x0b_009e;
// LED page.
const LED_MUTE: Usage = 0x08_0009;
const LED_OFF_HOOK: Usage = 0x08_0017;
const LED_RING: Usage = 0x08_0018;

/// What the phone does, as a headset shows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineState {
    /// Somebody calls and can be answered.
    pub ringing: bool,
    /// A call is in progress.
    pub talking: bool,
    /// Nothing is heard of us.
    pub muted: bool,
}

/// What was pressed on a headset, as it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// Answer who calls.
    Answer,
    /// End the call.
    HangUp,
    /// Refuse who calls.
    Decline,
    /// Mute, or be heard again.
    Mute(bool),
    /// Hold the call, or take it up again.
    Hold,
}

/// One headset.
#[derive(Debug, Clone)]
pub struct Buttons {
    layout: Layout,
    /// Value of each input field in the last report that held it.
    last: Vec<u32>,
    line: LineState,
    shown: Option<LineState>,
}

impl Buttons {
    /// By a device's report descriptor; none where the device has no telephone buttons.
    ///
    /// # Errors
    /// The descriptor cannot be understood.
    pub fn of(descriptor: &[u8]) -> Result<Option<Self>, DescriptorError> {
        let layout = Layout::parse(descriptor)?;
        let telephone = |field: &Field| matches!(field.usage, HOOK_SWITCH | PHONE_MUTE | DROP);
        if !layout.inputs.iter().any(telephone) {
            return Ok(None);
        }
        let last = vec![0; layout.inputs.len()];
        Ok(Some(Self { layout, last, line: LineState::default(), shown: None }))
    }

    /// The phone does this now; the reports to send so that the headset shows it, each with its number first.
    pub fn show(&mut self, line: LineState) -> Vec<Vec<u8>> {
        self.line = line;
        if self.shown.replace(line) == Some(line) {
            return Vec::new();
        }
        let lit = |usage| match usage {
            LED_OFF_HOOK => Some(line.talking),
            LED_RING | RINGER => Some(line.ringing),
            LED_MUTE => Some(line.muted),
            _ => None,
        };
        let mut reports = Vec::new();
        for (number, bytes) in &self.layout.output_bytes {
            let lamps = self.layout.outputs.iter().filter(|field| field.report == *number);
            let lamps: Vec<(&Field, bool)> =
                lamps.filter_map(|field| Some((field, lit(field.usage)?))).collect();
            if lamps.is_empty() {
                continue;
            }
            let mut data = vec![0; *bytes];
            lamps.iter().filter(|(_, lit)| *lit).for_each(|(field, _)| raise(field, &mut data));
            reports.push(std::iter::once(*number).chain(data).collect());
        }
        reports
    }

    /// Takes an input report as the system hands it over: its number first where reports have one.
    pub fn take(&mut self, report: &[u8]) -> Vec<Press> {
        let (number, data) = match (self.layout.numbered, report.split_first()) {
            (true, Some((number, data))) => (*number, data),
            (true, None) => return Vec::new(),
            (false, _) => (0, report),
        };
        let mut pressed: Vec<Press> = Vec::new();
        let listed = self.layout.inputs.clone();
        for (field, last) in listed.iter().zip(&mut self.last).filter(|(field, _)| field.report == number) {
            let Some(raw) = value(field, data) else { continue };
            let now = match field.shape {
                Shape::Listed(as_value) => u32::from(raw == as_value),
                Shape::Button | Shape::Switch => u32::from(raw != 0),
            };
            let before = std::mem::replace(last, now);
            if before == now {
                continue;
            }
            let springs_back = field.shape != Shape::Switch;
            if let Some(press) = meaning(field.usage, now != 0, springs_back, self.line)
                && !pressed.contains(&press)
            {
                pressed.push(press);
            }
        }
        pressed
    }
}

/// What it means that a button went up or down.
fn meaning(usage: Usage, on: bool, springs_back: bool, line: LineState) -> Option<Press> {
    let LineState { ringing, talking, muted } = line;
    match (usage, on) {
        // A second call may ring while one is talked to: lifting answers, laying down ends what is talked to.
        (HOOK_SWITCH, true) if ringing => Some(Press::Answer),
        (HOOK_SWITCH, true) if talking && springs_back => Some(Press::HangUp),
        // One that follows the off-hook lamp says so itself: that is no press.
        (HOOK_SWITCH, true) => None,
        (HOOK_SWITCH, false) if talking && !springs_back => Some(Press::HangUp),
        (DROP, true) if talking => Some(Press::HangUp),
        (DROP, true) if ringing => Some(Press::Decline),
        (PHONE_MUTE, true) if talking && springs_back => Some(Press::Mute(!muted)),
        (PHONE_MUTE, on) if talking && !springs_back && on != muted => Some(Press::Mute(on)),
        (FLASH, true) if ringing => Some(Press::Answer),
        (FLASH, true) if talking => Some(Press::Hold),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
