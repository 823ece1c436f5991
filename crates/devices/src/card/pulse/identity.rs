//! What tells one piece of hardware from all others, out of the properties a sound server gives it.
//!
//! Names and indices will not do: the index changes with every plugging, the name with the language, the
//! profile or a second device of the same make.

use crate::DeviceKind;

/// Bus, address, make and serial number of a card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// Of this one piece of hardware; its microphone and its speaker share it.
    pub(super) hardware: Option<String>,
    /// Of all pieces of this make: vendor and product, where the bus has such numbers.
    pub(super) model: Option<String>,
    /// Where it is plugged in: tells twins without a serial number apart.
    pub(super) port: Option<String>,
    /// Which of its ways out or in this is.
    pub(super) profile: Option<String>,
    pub(super) kind: DeviceKind,
}

impl Identity {
    /// Out of the properties that `of` looks up.
    pub(super) fn read(of: impl Fn(&str) -> Option<String>) -> Self {
        let of = |name: &str| of(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let bus = of("device.bus");
        let port = of("device.bus_path").or_else(|| of("device.bus-path"));
        let profile = of("device.profile.name");
        let model = match (of("device.vendor.id"), of("device.product.id")) {
            (Some(vendor), Some(product)) => Some(format!("{}:{}", number(&vendor), number(&product))),
            _ => None,
        };
        let hardware = match bus.as_deref() {
            Some("bluetooth") => address(&of).map(|address| format!("bluetooth:{address}")),
            Some(bus) => {
                let serial = of("device.serial").or_else(|| port.clone());
                serial.map(|serial| match &model {
                    Some(model) => format!("{bus}:{model}:{serial}"),
                    None => format!("{bus}:{serial}"),
                })
            }
            None => None,
        };
        let kind = kind(of("device.form_factor").as_deref(), bus.as_deref(), profile.as_deref());
        Self { hardware, model: model.filter(|_| bus.as_deref() == Some("usb")), port, profile, kind }
    }
}

/// PipeWire writes hexadecimal numbers with `0x` and PulseAudio without.
fn number(id: &str) -> String {
    id.trim_start_matches("0x").to_ascii_lowercase()
}

fn address(of: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let address = of("api.bluez5.address").or_else(|| of("device.string"))?;
    let octets = || address.split(':').all(|octet| octet.len() == 2 && u8::from_str_radix(octet, 16).is_ok());
    (address.len() == 17 && octets()).then(|| address.to_ascii_lowercase())
}

fn kind(form: Option<&str>, bus: Option<&str>, profile: Option<&str>) -> DeviceKind {
    match form {
        Some("headset" | "hands-free") => DeviceKind::Headset,
        Some("headphone") => DeviceKind::Headphones,
        Some("handset") => DeviceKind::Handset,
        Some("speaker" | "portable" | "hifi" | "car") => DeviceKind::Speaker,
        Some("microphone") => DeviceKind::Microphone,
        Some("webcam") => DeviceKind::Webcam,
        Some("tv") => DeviceKind::Display,
        Some("internal" | "computer") => DeviceKind::BuiltIn,
        _ if profile.is_some_and(|profile| profile.to_ascii_lowercase().contains("hdmi")) => {
            DeviceKind::Display
        }
        _ if bus == Some("bluetooth") => DeviceKind::Headset,
        _ if bus == Some("pci") => DeviceKind::BuiltIn,
        _ => DeviceKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(properties: &[(&str, &str)]) -> Identity {
        Identity::read(|name| {
            properties.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_usb_headset_is_known_by_make_and_serial_number() {
        let headset = read(&[
            ("device.bus", "usb"),
            ("device.vendor.id", "0b0e"),
            ("device.product.id", "2457"),
            ("device.serial", "GN_Audio_A_S_Jabra_EVOLVE_65_0123"),
            ("device.bus_path", "pci-0000:00:14.0-usb-0:2:1.0"),
            ("device.form_factor", "headset"),
            ("device.profile.name", "analog-stereo"),
        ]);
        assert_eq!(headset.hardware.as_deref(), Some("usb:0b0e:2457:GN_Audio_A_S_Jabra_EVOLVE_65_0123"));
        assert_eq!(headset.model.as_deref(), Some("0b0e:2457"));
        assert_eq!(headset.kind, DeviceKind::Headset);
    }

    #[test]
    fn both_sound_servers_name_the_same_headset_alike() {
        let make = |vendor, product| {
            read(&[
                ("device.bus", "usb"),
                ("device.vendor.id", vendor),
                ("device.product.id", product),
                ("device.serial", "S"),
            ])
        };
        assert_eq!(make("0B0E", "2457"), make("0x0b0e", "0x2457"));
    }

    #[test]
    fn without_a_serial_number_it_is_where_it_is_plugged_in() {
        let stick = read(&[("device.bus", "usb"), ("device.bus_path", "usb-0:2")]);
        assert_eq!(stick.hardware.as_deref(), Some("usb:usb-0:2"));
        let built_in = read(&[("device.bus", "pci"), ("device.bus_path", "pci-0000:00:1f.3")]);
        assert_eq!(built_in.hardware.as_deref(), Some("pci:pci-0000:00:1f.3"));
        assert_eq!((built_in.kind, built_in.model), (DeviceKind::BuiltIn, None));
    }

    #[test]
    fn a_bluetooth_headset_is_its_address() {
        let headset = read(&[("device.bus", "bluetooth"), ("device.string", "AA:BB:CC:00:11:22")]);
        assert_eq!(headset.hardware.as_deref(), Some("bluetooth:aa:bb:cc:00:11:22"));
        assert_eq!(headset.kind, DeviceKind::Headset);
        let nameless = read(&[("device.bus", "bluetooth"), ("device.string", "/org/bluez/hci0")]);
        assert_eq!(nameless.hardware, None);
    }

    #[test]
    fn what_has_no_hardware_has_no_identity() {
        assert_eq!(read(&[("device.class", "abstract"), ("device.bus", " ")]), Identity::default());
        let display = read(&[("device.bus", "pci"), ("device.profile.name", "hdmi-stereo-extra1")]);
        assert_eq!(display.kind, DeviceKind::Display);
    }
}
