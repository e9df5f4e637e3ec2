use super::*;

const PNG: &[u8] = include_bytes!("../../../../tests/pictures/dot.png");
const JPEG: &[u8] = include_bytes!("../../../../tests/pictures/dot.jpg");
const WEBP: &[u8] = include_bytes!("../../../../tests/pictures/dot.webp");
const GIF: &[u8] = include_bytes!("../../../../tests/pictures/dot.gif");
const ALL: [(&[u8], ImageType); 4] =
    [(PNG, ImageType::Png), (JPEG, ImageType::Jpeg), (WEBP, ImageType::Webp), (GIF, ImageType::Gif)];

#[test]
fn a_picture_is_what_its_bytes_are() {
    for (bytes, kind) in ALL {
        assert_eq!(inspect(bytes), Ok(kind));
        assert_eq!(ImageType::of_media_type(kind.media_type()), Some(kind));
        assert_eq!(ImageType::of_extension(kind.extension()), Some(kind));
    }
    assert_eq!(ImageType::of_media_type("Image/PNG; charset=x"), Some(ImageType::Png));
    assert_eq!(ImageType::of_media_type("image/svg+xml"), None);
    // `sha256sum tests/pictures/dot.gif | cut -c1-32`
    assert_eq!(name(GIF).as_str(), "5b77ac76b5a4d4f8a0e6cc4226b79faf");
}

#[test]
fn a_picture_is_whole_or_none() {
    for (bytes, kind) in ALL {
        for end in 0..bytes.len() {
            assert!(inspect(&bytes[..end]).is_err(), "{kind:?} cut to {end}");
        }
        for behind in [&b"<script>alert(1)</script>"[..], b"\0", b"PK\x03\x04"] {
            assert_eq!(inspect(&[bytes, behind].concat()), Err(ImageProblem::Trailing), "{kind:?}");
        }
    }
}

#[test]
fn what_only_begins_as_a_picture_is_none() {
    let svg = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".as_slice();
    let script = b"*/alert(document.cookie)/*".as_slice();
    assert_eq!(inspect(svg), Err(ImageProblem::NoImage));
    assert_eq!(inspect(b""), Err(ImageProblem::NoImage));
    for begins in [&PNG[..8], &PNG[..33], &JPEG[..3], &JPEG[..20], b"GIF89a", &WEBP[..12]] {
        assert_eq!(inspect(&[begins, svg].concat()), Err(ImageProblem::Broken), "{begins:?}");
        assert_eq!(inspect(&[begins, script].concat()), Err(ImageProblem::Broken), "{begins:?}");
    }
}

#[test]
fn bounds() {
    assert_eq!(inspect(&vec![0; IMAGE_BYTES_MAX + 1]), Err(ImageProblem::TooLarge));
    let mut bomb = PNG.to_vec();
    bomb[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
    assert_eq!(inspect(&bomb), Err(ImageProblem::TooManyPixels));
    bomb[16..24].fill(0);
    assert_eq!(inspect(&bomb), Err(ImageProblem::Broken), "it has no size");
    for (problem, words) in [(ImageProblem::TooLarge, "4 MiB"), (ImageProblem::TooManyPixels, "64 million")] {
        assert!(problem.to_string().contains(words));
    }
}

#[test]
fn any_bytes_have_an_answer() {
    let mut state = 7_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    for (bytes, _) in ALL {
        for _ in 0..20_000 {
            let mut broken = bytes.to_vec();
            for _ in 0..=random() % 4 {
                let at = random() as usize % broken.len();
                broken[at] = [0, 0xff, 0x7f, 1][random() as usize % 4];
            }
            let _ = inspect(&broken);
        }
    }
}
