use media::Codec;
use serde::{Deserialize, Serialize};
use specta::Type;

/// A codec in the user's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CodecPreference {
    /// Its name in SDP: `opus`, `G722`, `PCMU`, `PCMA`.
    pub name: String,
    /// Calls may use it.
    pub used: bool,
}

/// The user's list with every codec of this phone in it, each once: one that the list does not know yet stands where
/// the phone itself would put it, behind what is better, and is used. Codecs that this phone does not know are kept,
/// for a later one may.
pub(crate) fn complete(list: &[CodecPreference]) -> Vec<CodecPreference> {
    let mut whole: Vec<CodecPreference> = Vec::new();
    for entry in list {
        if !whole.iter().any(|other| other.name.eq_ignore_ascii_case(&entry.name)) {
            whole.push(entry.clone());
        }
    }
    for (rank, codec) in Codec::ALL.into_iter().enumerate() {
        if whole.iter().any(|entry| is(entry, codec)) {
            continue;
        }
        let better = |entry: &CodecPreference| Codec::ALL.iter().take(rank).any(|better| is(entry, *better));
        let place = whole.iter().rposition(better).map_or(0, |place| place + 1);
        whole.insert(place, CodecPreference { name: codec.name().to_owned(), used: true });
    }
    whole
}

/// What calls may use of the user's list, best first. Nobody can call without any codec: then all are used.
pub(crate) fn chosen(list: &[CodecPreference]) -> Vec<Codec> {
    let whole = complete(list);
    let used = whole.iter().filter(|entry| entry.used).filter_map(|entry| Codec::from_name(&entry.name));
    let used: Vec<Codec> = used.collect();
    if used.is_empty() { Codec::ALL.to_vec() } else { used }
}

fn is(entry: &CodecPreference, codec: Codec) -> bool {
    Codec::from_name(&entry.name) == Some(codec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<CodecPreference> {
        let entry = |name: &&str| CodecPreference {
            name: name.trim_start_matches('-').to_owned(),
            used: !name.starts_with('-'),
        };
        names.iter().map(entry).collect()
    }

    fn names(list: &[CodecPreference]) -> Vec<String> {
        list.iter().map(|entry| format!("{}{}", if entry.used { "" } else { "-" }, entry.name)).collect()
    }

    #[test]
    fn a_list_is_completed_where_it_lacks_something() {
        assert_eq!(names(&complete(&[])), ["opus", "G722", "PCMU", "PCMA"]);
        assert_eq!(names(&complete(&list(&["PCMA", "-opus"]))), ["PCMA", "-opus", "G722", "PCMU"]);
        let later = complete(&list(&["EVS", "PCMU", "pcmu", "-PCMA", "opus"]));
        assert_eq!(names(&later), ["EVS", "PCMU", "-PCMA", "opus", "G722"]);
    }

    #[test]
    fn what_is_switched_off_is_not_used() {
        assert_eq!(chosen(&list(&["PCMA", "-opus", "-PCMU"])), [Codec::Pcma, Codec::G722]);
        assert_eq!(chosen(&list(&["-opus", "-G722", "-PCMU", "-PCMA", "EVS"])), Codec::ALL);
    }
}
