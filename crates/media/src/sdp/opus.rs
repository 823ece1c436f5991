/// The version of deep redundancy that this phone reads: the experimental one of libopus 1.5 and 1.6.
const DRED_VERSION: &str = "12";

/// What we say of our Opus decoder (RFC 7587, section 6.1). `x-dred` is ours alone: unknown parameters are ignored
/// (RFC 4855, section 3), and switchboards that take the codec's parameters along take it along.
pub(super) const OURS: &str = "useinbandfec=1;x-dred=12";

/// The same of a phone that would rather hear nothing in pauses.
pub(super) const OURS_WITH_PAUSES: &str = "useinbandfec=1;usedtx=1;x-dred=12";

/// What the other side said of its Opus decoder in `a=fmtp:` (RFC 7587, section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusParameters {
    /// `maxaveragebitrate`: bits a second that it wants at most.
    pub most_bit_rate: u32,
    /// `useinbandfec`: it can use FEC. Only who says that it cannot is believed; a switchboard in between may say
    /// nothing.
    pub fec: bool,
    /// `usedtx`: it prefers packets to be left out in pauses.
    pub dtx: bool,
    /// `maxplaybackrate`: it plays nothing above 8 kHz.
    pub wideband: bool,
    /// It reads deep redundancy (DRED) of the version that we make.
    pub dred: bool,
}

impl OpusParameters {
    /// Without any `a=fmtp:`.
    pub const NOTHING_SAID: OpusParameters =
        OpusParameters { most_bit_rate: 510_000, fec: true, dtx: false, wideband: false, dred: false };

    /// Reads the parameters; those that are unknown or make no sense are passed over.
    pub(super) fn parse(text: &str) -> OpusParameters {
        let mut parameters = Self::NOTHING_SAID;
        for pair in text.split(';') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            match name.as_str() {
                "maxaveragebitrate" => {
                    let rate = value.parse().ok().filter(|rate| (6_000..=510_000).contains(rate));
                    parameters.most_bit_rate = rate.unwrap_or(parameters.most_bit_rate);
                }
                "useinbandfec" => parameters.fec = value != "0",
                "usedtx" => parameters.dtx = value == "1",
                "maxplaybackrate" => {
                    parameters.wideband = value.parse().is_ok_and(|rate: u32| rate <= 16_000)
                }
                "x-dred" => parameters.dred = value == DRED_VERSION,
                _ => {}
            }
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read() {
        let said =
            "minptime=10; maxplaybackrate=16000;maxaveragebitrate=20000; stereo=1;useinbandfec=0; usedtx=1";
        let expected =
            OpusParameters { most_bit_rate: 20_000, fec: false, dtx: true, wideband: true, dred: false };
        assert_eq!(OpusParameters::parse(said), expected);
        assert!(OpusParameters::parse(OURS).dred);
    }

    #[test]
    fn nonsense_is_passed_over() {
        for said in [
            "",
            ";;=;x",
            "maxaveragebitrate=1",
            "maxaveragebitrate=-5;maxplaybackrate=x",
            "x-dred=13",
            "0-15",
        ] {
            assert_eq!(OpusParameters::parse(said), OpusParameters::NOTHING_SAID, "{said}");
        }
    }
}
