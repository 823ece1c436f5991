//! A round: pairs of phones that talk at the same time, each over a path of its own.

use std::path::Path as File;

use crate::{Hearing, Impairment, Kamailio, Network, Pair, Path, Phone, Reading, Session, Tally};

/// A call to be held.
#[derive(Debug, Clone, Copy)]
pub struct Talk<'a> {
    /// Both its phones.
    pub phone: Phone,
    /// `opus` or `PCMU`.
    pub codec: &'a str,
    /// What the path does to what each end sends; none where the plain network is to do.
    pub impairment: Option<Impairment>,
    /// Decides the fate of each packet.
    pub seed: u64,
}

/// One end's voice, as the other end heard it.
#[derive(Debug, Clone)]
pub struct Heard {
    /// What was said, and the recording of it.
    pub hearing: Hearing,
    /// What the path did; nothing where there was none.
    pub tally: Tally,
}

/// Holds these calls at once, and gives for each what was heard of the caller and of the callee. The recordings are
/// kept below `dir`.
pub fn hold(talks: &[Talk<'_>], reading: &Reading, dir: &File) -> Vec<[Heard; 2]> {
    let ends = u8::try_from(2 * talks.len()).expect("as many phones as the PBX has users");
    let network = Network::new(ends);
    let kamailio = Kamailio::at(&network.hub(), network.pbx());
    let paths: Vec<[Option<Path>; 2]> = talks
        .iter()
        .enumerate()
        .map(|(n, talk)| {
            [0, 1].map(|end| {
                let seed = 2 * talk.seed + end as u64;
                talk.impairment.map(|impairment| Path::new(&network, 2 * n + end, impairment, seed))
            })
        })
        .collect();
    let sessions: Vec<Session> = talks.iter().map(|_| Session::bare()).collect();
    let mut pairs: Vec<Pair> = talks
        .iter()
        .zip(&sessions)
        .enumerate()
        .map(|(n, (talk, session))| {
            Pair::seat((&network, 2 * n), &kamailio, (talk.phone, talk.codec), reading, session)
        })
        .collect();
    pairs.iter_mut().for_each(Pair::call);
    // What a phone did while others came in does not count.
    paths.iter().flatten().flatten().for_each(Path::look_anew);
    // Nor what it does while others hang up: phones that run before all else keep each other waiting then.
    pairs.iter().for_each(Pair::until_last_word);
    let tallies: Vec<[Tally; 2]> = paths
        .iter()
        .map(|ends| ends.each_ref().map(|path| path.as_ref().map(Path::tally).unwrap_or_default()))
        .collect();
    pairs
        .into_iter()
        .zip(tallies)
        .enumerate()
        .map(|(n, (pair, [of_caller, of_callee]))| {
            let [by_caller, by_callee] = pair.finish(&dir.join(n.to_string()));
            let heard = |recording, reading, tally| Heard { hearing: Hearing { recording, reading }, tally };
            [heard(by_callee, reading.clone(), of_caller), heard(by_caller, reading.turned(), of_callee)]
        })
        .collect()
}
