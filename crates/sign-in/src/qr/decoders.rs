//! The two decoders. Both read what strangers print on paper, so neither may take the phone down.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rxing::common::HybridBinarizer;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BarcodeFormat, BinaryBitmap, DecodeHints, Luma8Source, Reader};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::grey::Grey;

/// What `rqrr` finds.
pub(super) fn rqrr(grey: &Grey) -> Vec<SecretString> {
    guarded(|| {
        let mut pixels = grey.pixels().iter();
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(grey.width(), grey.height(), |_, _| {
            pixels.next().copied().unwrap_or_default()
        });
        let decoded = image.detect_grids().into_iter().filter_map(|grid| {
            let mut bytes = Zeroizing::new(Vec::with_capacity(rqrr::MAX_PAYLOAD_SIZE));
            grid.decode_to(&mut *bytes).ok()?;
            std::str::from_utf8(&bytes).ok().map(SecretString::from)
        });
        decoded.collect()
    })
}

/// What `rxing` finds: one code at most.
pub(super) fn rxing(grey: &Grey) -> Vec<SecretString> {
    let (Ok(width), Ok(height)) = (u32::try_from(grey.width()), u32::try_from(grey.height())) else {
        return Vec::new();
    };
    guarded(|| {
        let hints = DecodeHints {
            TryHarder: Some(true),
            PossibleFormats: Some(HashSet::from([BarcodeFormat::QR_CODE])),
            ..DecodeHints::default()
        };
        let source = Luma8Source::new_with_slice(grey.pixels(), width, height).ok();
        let found = source.and_then(|source| {
            let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source));
            QrReader.decode_with_hints(&mut bitmap, &hints).ok()
        });
        found.map(|found| SecretString::from(found.getText())).into_iter().collect()
    })
}

/// Runs a decoder; one that panics has found nothing.
fn guarded(decode: impl FnOnce() -> Vec<SecretString>) -> Vec<SecretString> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_default()
}
