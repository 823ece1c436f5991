//! Star codes of the PBX: what is dialled, or handed a call, to make it do something.

use pbx_api::{Feature, FeatureCode};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Star codes; where there is none the PBX does not offer it. The default is what a PortSIP PBX begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct FeatureCodes {
    /// Park a call, at an extension that may follow.
    pub park: Option<String>,
    /// Park a call at the group.
    pub group_park: Option<String>,
    /// Take a parked call, at the extension that follows.
    pub retrieve: Option<String>,
    /// Answer the call that rings at the extension that follows.
    pub pick_up: Option<String>,
    /// Answer a call that rings in the group.
    pub group_pick_up: Option<String>,
    /// Hear one's voicemail.
    pub voicemail: Option<String>,
    /// To the voicemail of the extension that follows.
    pub to_voicemail: Option<String>,
    /// Take the call from another phone of one's own.
    pub flip: Option<String>,
    /// Keep from whom is called at the number that follows who calls.
    pub hide: Option<String>,
    /// A line that repeats what one says.
    pub echo: Option<String>,
}

impl Default for FeatureCodes {
    fn default() -> Self {
        let code = |code: &str| Some(code.to_owned());
        Self {
            park: code("*68"),
            group_park: code("*58"),
            retrieve: code("*88"),
            pick_up: code("*97"),
            group_pick_up: code("*98"),
            voicemail: code("*57"),
            to_voicemail: code("*55"),
            flip: code("*11"),
            hide: code("*67"),
            echo: code("9196"),
        }
    }
}

impl FeatureCodes {
    /// What the PBX says, over `known` where it says nothing.
    pub(crate) fn told(mut known: Self, codes: &[FeatureCode]) -> Self {
        for FeatureCode { feature, code, enabled } in codes {
            let place = match feature {
                Feature::Park => &mut known.park,
                Feature::GroupPark => &mut known.group_park,
                Feature::Retrieve => &mut known.retrieve,
                Feature::PickUp => &mut known.pick_up,
                Feature::GroupPickUp => &mut known.group_pick_up,
                Feature::Voicemail => &mut known.voicemail,
                Feature::ToVoicemail => &mut known.to_voicemail,
                Feature::Flip => &mut known.flip,
                Feature::Hide => &mut known.hide,
                Feature::Other => continue,
            };
            *place = enabled.then(|| code.clone());
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pbx_has_the_last_word() {
        let told = |feature, code: &str, enabled| FeatureCode { feature, code: code.into(), enabled };
        let codes = [
            told(Feature::Park, "*60", true),
            told(Feature::Flip, "*11", false),
            told(Feature::Other, "*1", true),
        ];
        let codes = FeatureCodes::told(FeatureCodes::default(), &codes);
        assert_eq!((codes.park.as_deref(), codes.flip.as_deref()), (Some("*60"), None));
        assert_eq!(codes.retrieve.as_deref(), Some("*88"));
    }
}
