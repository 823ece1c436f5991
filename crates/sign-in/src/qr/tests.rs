use qrcode::{Color, QrCode};

use super::*;

const SIDE: usize = 400;

/// A sharp code of `module` pixels a module in the middle of white paper.
fn printed(text: &str, module: usize) -> Vec<u8> {
    let code = QrCode::new(text).unwrap();
    let (modules, colors) = (code.width(), code.to_colors());
    let first = (SIDE - modules * module) / 2;
    let module_at = |at: usize| at.checked_sub(first).map(|at| at / module).filter(|m| *m < modules);
    (0..SIDE * SIDE)
        .map(|index| match (module_at(index % SIDE), module_at(index / SIDE)) {
            (Some(x), Some(y)) if colors[y * modules + x] == Color::Dark => 20,
            _ => 230,
        })
        .collect()
}

fn luma(pixels: &[u8]) -> Luma<'_> {
    Luma { width: SIDE as u32, height: SIDE as u32, stride: SIDE as u32, pixels }
}

fn texts(found: &[SecretString]) -> Vec<&str> {
    found.iter().map(ExposeSecret::expose_secret).collect()
}

#[test]
fn a_code_is_told_once_and_the_next_one_too() {
    let (first, second) = (printed("first", 6), printed("second", 6));
    let mut reader = Reader::new();
    assert_eq!(texts(&reader.read(luma(&first))), ["first"]);
    assert!(reader.read(luma(&first)).is_empty());
    assert_eq!(texts(&reader.read(luma(&second))), ["second"]);
    assert!(reader.read_still(luma(&second)).is_empty());
    assert_eq!(texts(&Reader::new().read_still(luma(&second))), ["second"]);
}

#[test]
fn letters_of_every_script_come_through() {
    for text in ["Grüße, señora", "電話", "\u{1f4de}"] {
        assert_eq!(texts(&Reader::new().read(luma(&printed(text, 6)))), [text]);
    }
}

#[test]
fn what_is_no_picture_and_what_is_no_code_are_nothing() {
    let mut reader = Reader::new();
    assert!(reader.read(Luma { width: 9, height: 9, stride: 9, pixels: &[0; 80] }).is_empty());
    assert!(reader.read(Luma { width: 0, height: 0, stride: 0, pixels: &[] }).is_empty());
    for (width, height) in [(1, 1), (1, 400), (400, 1), (2, 3), (33, 17)] {
        let pixels = vec![77; width * height];
        let frame =
            Luma { width: width as u32, height: height as u32, stride: width as u32, pixels: &pixels };
        for _ in 0..ATTEMPTS.len() {
            assert!(reader.read(frame).is_empty());
        }
        assert!(reader.read_still(frame).is_empty());
    }
}

#[test]
fn every_way_to_look_gets_its_turn_within_a_second_of_frames() {
    let blank = vec![200; 1280 * 720];
    let frame = Luma { width: 1280, height: 720, stride: 1280, pixels: &blank };
    let mut reader = Reader::new();
    let mut begun = vec![reader.next];
    while begun.len() < 11 {
        reader.read(frame);
        begun.push(reader.next);
    }
    let turns = begun.windows(2).filter(|pair| pair[1] <= pair[0]).count();
    assert!(turns >= 1, "after ten frames it had come to {begun:?}");
}

#[test]
fn a_picture_full_of_marks_is_not_puzzled_over() {
    let pixels: Vec<u8> = (0..SIDE * SIDE)
        .map(|index| {
            let place = |at: usize| (at % 18 / 2).abs_diff(4);
            let far = place(index % SIDE).max(place(index / SIDE));
            if far == 2 || far == 4 { 230 } else { 20 }
        })
        .collect();
    let grey = Grey::of(luma(&pixels)).unwrap();
    assert!(ATTEMPTS.iter().all(|attempt| !attempt.bears(Crowd::of(&grey))));
    assert!(Reader::new().read(luma(&pixels)).is_empty());
    let one = printed("one", 6);
    assert_eq!(Crowd::of(&Grey::of(luma(&one)).unwrap()), Crowd::Few);
}

mod files {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

    use super::*;

    fn file(format: ImageFormat) -> Vec<u8> {
        let grey = image::GrayImage::from_raw(SIDE as u32, SIDE as u32, printed("in a file", 6)).unwrap();
        let mut bytes = Vec::new();
        let rgb = DynamicImage::from(DynamicImage::ImageLuma8(grey).into_rgb8());
        rgb.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    #[test]
    fn of_every_kind_are_read() {
        for format in
            [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Bmp]
        {
            let picture = picture(&file(format)).unwrap();
            assert_eq!(texts(&Reader::new().read_still(picture.luma())), ["in a file"], "{format:?}");
        }
    }

    #[test]
    fn what_is_transparent_is_paper() {
        let dark = |pixel: &u8| if *pixel < 128 { Rgba([0, 0, 0, 255]) } else { Rgba([0, 0, 0, 0]) };
        let pixels = printed("on nothing", 6);
        let mut clear = RgbaImage::new(SIDE as u32, SIDE as u32);
        clear.pixels_mut().zip(&pixels).for_each(|(to, from)| *to = dark(from));
        let mut bytes = Vec::new();
        clear.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        let picture = picture(&bytes).unwrap();
        assert_eq!(texts(&Reader::new().read_still(picture.luma())), ["on nothing"]);
    }

    #[test]
    fn damaged_and_huge_ones_are_refused() {
        let png = file(ImageFormat::Png);
        assert_eq!(picture(&png[..200]).err(), Some(PictureUnreadable::Damaged));
        assert_eq!(picture(b"words").err(), Some(PictureUnreadable::Kind));
        assert_eq!(picture(&[]).err(), Some(PictureUnreadable::Kind));
        // A bitmap that claims 60000 pixels a side.
        let mut bmp = file(ImageFormat::Bmp);
        bmp[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
        bmp[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
        assert_eq!(picture(&bmp).err(), Some(PictureUnreadable::TooLarge));
    }

    #[test]
    fn debug_shows_no_pixels() {
        let picture = picture(&file(ImageFormat::Png)).unwrap();
        assert_eq!(format!("{picture:?}"), "LumaImage { width: 400, height: 400, .. }");
    }
}
