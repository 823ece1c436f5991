//! Cutting a byte stream into SIP messages (RFC 3261, section 18.3; RFC 5626, section 3.5.1).

/// Largest message taken from a stream.
const LARGEST: usize = 65_535;

/// What stands at the head of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Double CRLF: the other end wants a sign of life.
    Ping,
    /// Single CRLF: a sign of life.
    Pong,
    /// One message, whole, still unread.
    Message(Vec<u8>),
}

/// The stream cannot be cut any further: close it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unframeable;

/// Takes one frame off the head of `stream`; `None` while it is incomplete.
pub(crate) fn next_frame(stream: &mut Vec<u8>) -> Result<Option<Frame>, Unframeable> {
    if stream.starts_with(b"\r\n\r\n") {
        stream.drain(..4);
        return Ok(Some(Frame::Ping));
    }
    if stream.starts_with(b"\r\n") && stream.len() != 3 {
        stream.drain(..2);
        return Ok(Some(Frame::Pong));
    }
    let Some(head) = stream.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) else {
        return if stream.len() > LARGEST { Err(Unframeable) } else { Ok(None) };
    };
    let body = content_length(stream.get(..head).unwrap_or_default()).ok_or(Unframeable)?;
    let whole = head.saturating_add(body);
    if whole > LARGEST {
        return Err(Unframeable);
    }
    if stream.len() < whole {
        return Ok(None);
    }
    Ok(Some(Frame::Message(stream.drain(..whole).collect())))
}

/// Cuts a whole stream, for whoever wants to know that it can be done with any bytes.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn frames(bytes: &[u8]) {
    let mut stream = bytes.to_vec();
    while let Ok(Some(_)) = next_frame(&mut stream) {}
}

/// Length of the body as the head declares it; 0 where it does not, `None` where it is nonsense or two lengths are
/// declared.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut declared = None;
    for line in String::from_utf8_lossy(head).lines() {
        if let Some((name, value)) = line.split_once(':')
            && (name.trim().eq_ignore_ascii_case("content-length") || name.trim().eq_ignore_ascii_case("l"))
        {
            let length = value.trim().parse().ok()?;
            if declared.is_some_and(|before: usize| before != length) {
                return None;
            }
            declared = Some(length);
        }
    }
    Some(declared.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPTIONS: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\nl : 3\r\n\r\nabc";

    #[test]
    fn messages_and_signs_of_life_are_told_apart() {
        let mut stream = [b"\r\n".as_slice(), OPTIONS, b"\r\n\r\n", OPTIONS, b"BYE"].concat();
        let mut frames = Vec::new();
        while let Ok(Some(frame)) = next_frame(&mut stream) {
            frames.push(frame);
        }
        let message = || Frame::Message(OPTIONS.to_vec());
        assert_eq!(frames, [Frame::Pong, message(), Frame::Ping, message()]);
        assert_eq!(stream, b"BYE");
    }

    #[test]
    fn nonsense_closes_the_stream() {
        assert_eq!(next_frame(&mut b"A b c\r\nContent-Length: -1\r\n\r\n".to_vec()), Err(Unframeable));
        assert_eq!(next_frame(&mut b"A b c\r\nContent-Length: 70000\r\n\r\n".to_vec()), Err(Unframeable));
        assert_eq!(next_frame(&mut b"A b c\r\nl: 1\r\nl: 2\r\n\r\nab".to_vec()), Err(Unframeable));
        assert_eq!(next_frame(&mut vec![b'x'; LARGEST + 1]), Err(Unframeable));
        let huge = format!("A b c\r\nContent-Length: {}\r\n\r\n", usize::MAX);
        assert_eq!(next_frame(&mut huge.into_bytes()), Err(Unframeable));
    }

    proptest! {
        /// However the network cuts the stream, the same messages come out.
        #[test]
        fn cuts_do_not_matter(cuts in proptest::collection::vec(1_usize..20, 1..40)) {
            let whole = [OPTIONS, OPTIONS, OPTIONS].concat();
            let mut rest = whole.as_slice();
            let mut stream = Vec::new();
            let mut count = 0;
            for cut in cuts.into_iter().chain([whole.len()]) {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                stream.extend_from_slice(now);
                rest = later;
                while let Ok(Some(Frame::Message(message))) = next_frame(&mut stream) {
                    prop_assert_eq!(message, OPTIONS);
                    count += 1;
                }
            }
            prop_assert_eq!(count, 3);
        }

        #[test]
        fn nothing_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            while let Ok(Some(_)) = next_frame(&mut bytes) {}
        }
    }
}
