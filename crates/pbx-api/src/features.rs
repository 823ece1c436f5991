use secrecy::SecretString;

use crate::json::Object;
use crate::request::JSON_LIMIT;
use crate::{ApiError, Client};

/// A star code of the tenant (`GET /feature_access_codes`): dialled, or called by whom a call is handed on to it, it
/// makes the PBX do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureCode {
    /// What it does.
    pub feature: Feature,
    /// What to dial, such as `*68`.
    pub code: String,
    /// The administrator allows it.
    pub enabled: bool,
}

/// What a star code does, as far as a phone uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    /// `CALL_PARK`: park the call at an extension.
    Park,
    /// `GROUP_CALL_PARK`: park the call at the group.
    GroupPark,
    /// `CALL_RETRIEVE`: take a parked call.
    Retrieve,
    /// `DIRECTED_CALL_PICKUP`: answer the call that rings at an extension.
    PickUp,
    /// `GROUP_CALL_PICKUP`: answer a call that rings in the group.
    GroupPickUp,
    /// `ACCESSING_VOICEMAIL`: hear one's voicemail.
    Voicemail,
    /// `DIRECT_VOICEMAIL_TRANSFER`: to the voicemail of an extension.
    ToVoicemail,
    /// `CALL_FLIP`: take the call from another phone of one's own.
    Flip,
    /// `CALLER_ID_DELIVERY_BLOCKING_PER_CALL`: before a number, keeps from whom is called who calls.
    Hide,
    /// One this client does not use.
    Other,
}

impl Feature {
    fn named(name: &str) -> Self {
        match name.to_ascii_uppercase().as_str() {
            "CALL_PARK" => Self::Park,
            "GROUP_CALL_PARK" => Self::GroupPark,
            "CALL_RETRIEVE" => Self::Retrieve,
            "DIRECTED_CALL_PICKUP" => Self::PickUp,
            "GROUP_CALL_PICKUP" => Self::GroupPickUp,
            "ACCESSING_VOICEMAIL" => Self::Voicemail,
            "DIRECT_VOICEMAIL_TRANSFER" => Self::ToVoicemail,
            "CALL_FLIP" => Self::Flip,
            "CALLER_ID_DELIVERY_BLOCKING_PER_CALL" => Self::Hide,
            _ => Self::Other,
        }
    }
}

impl Client {
    /// `GET /feature_access_codes`: the star codes of the tenant, without those that no phone could dial.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where the access token is not accepted, [`ApiError::NotFound`] at an older PBX.
    pub async fn feature_codes(&self, access: &SecretString) -> Result<Vec<FeatureCode>, ApiError> {
        let url = self.url("feature_access_codes");
        let answer = self.get(url).bearer(access)?.answer(JSON_LIMIT).await?;
        read(&answer.bytes)
    }
}

fn read(bytes: &[u8]) -> Result<Vec<FeatureCode>, ApiError> {
    let mut codes = Vec::new();
    for mut item in Object::parse("feature_access_codes", bytes)?.objects("items")? {
        let feature = item.text("feature")?.map_or(Feature::Other, |name| Feature::named(&name));
        let enabled = item.flag("enabled")?.unwrap_or(true);
        let code = item.text("code")?.filter(|code| is_dialled(code));
        codes.extend(code.map(|code| FeatureCode { feature, code, enabled }));
    }
    Ok(codes)
}

fn is_dialled(code: &str) -> bool {
    code.len() <= 16 && code.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_and_nonsense_is_left_out() {
        let answer = br#"{"items":[{"code":"*68","feature":"CALL_PARK","enabled":true},
            {"code":"*99","feature":"CALL_FLIP","enabled":false},{"code":"*1","feature":"SPEED_DIAL_8"},
            {"code":"sip:evil@x","feature":"CALL_RETRIEVE"},{"feature":"GROUP_CALL_PARK"}]}"#;
        let code = |feature, code: &str, enabled| FeatureCode { feature, code: code.into(), enabled };
        assert_eq!(
            read(answer).unwrap(),
            [
                code(Feature::Park, "*68", true),
                code(Feature::Flip, "*99", false),
                code(Feature::Other, "*1", true)
            ]
        );
        assert!(read(b"{}").unwrap().is_empty());
        assert!(read(b"[]").is_err());
    }
}
