//! SGR, `CSI … m`: which numbers change the pen to what.
//!
//! Colours beyond 16 come in five forms: `38;5;208`, `38:5:208`, `38;2;255;100;0`, `38:2:255:100:0` as most programs print
//! it, and `38:2::255:100:0` with the colour space that the standard has.

use vte::{Params, ParamsIter};

use crate::style::{Attributes, Colour, Style, Underline};

/// Changes the pen.
pub(crate) fn apply(pen: &mut Style, params: &Params) {
    let mut params = params.iter();
    while let Some(param) = params.next() {
        let (&number, arguments) = param.split_first().unwrap_or((&0, &[]));
        match number {
            0 => *pen = Style { link: pen.link, source: pen.source, ..Style::default() },
            1 => set(pen, Attributes::BOLD),
            2 => set(pen, Attributes::DIM),
            3 => set(pen, Attributes::ITALIC),
            4 => pen.underline = underline(arguments.first().copied()),
            5 | 6 => set(pen, Attributes::BLINK),
            7 => set(pen, Attributes::INVERSE),
            8 => set(pen, Attributes::HIDDEN),
            9 => set(pen, Attributes::STRIKE),
            21 => pen.underline = Underline::Double,
            22 => unset(pen, Attributes::BOLD | Attributes::DIM),
            23 => unset(pen, Attributes::ITALIC),
            24 => pen.underline = Underline::None,
            25 => unset(pen, Attributes::BLINK),
            27 => unset(pen, Attributes::INVERSE),
            28 => unset(pen, Attributes::HIDDEN),
            29 => unset(pen, Attributes::STRIKE),
            30..=37 => pen.foreground = indexed(number - 30),
            38 => change(&mut pen.foreground, arguments, &mut params),
            39 => pen.foreground = Colour::Default,
            40..=47 => pen.background = indexed(number - 40),
            48 => change(&mut pen.background, arguments, &mut params),
            49 => pen.background = Colour::Default,
            53 => set(pen, Attributes::OVERLINE),
            55 => unset(pen, Attributes::OVERLINE),
            58 => change(&mut pen.underline_colour, arguments, &mut params),
            59 => pen.underline_colour = Colour::Default,
            90..=97 => pen.foreground = indexed(number - 90 + 8),
            100..=107 => pen.background = indexed(number - 100 + 8),
            _ => {}
        }
    }
}

fn set(pen: &mut Style, attributes: Attributes) {
    pen.attributes = pen.attributes | attributes;
}

fn unset(pen: &mut Style, attributes: Attributes) {
    pen.attributes = pen.attributes & !attributes;
}

fn underline(kind: Option<u16>) -> Underline {
    match kind {
        Some(0) => Underline::None,
        Some(2) => Underline::Double,
        Some(3) => Underline::Curly,
        Some(4) => Underline::Dotted,
        Some(5) => Underline::Dashed,
        _ => Underline::Single,
    }
}

/// The colour that the arguments name: with colons they belong to the number, with semicolons they are those behind it
/// and are used up even if they name none.
fn change(colour: &mut Colour, arguments: &[u16], params: &mut ParamsIter<'_>) {
    let named = match arguments {
        [] => match single(params) {
            Some(5) => single(params).and_then(palette),
            Some(2) => {
                let parts = [single(params), single(params), single(params)];
                if let [Some(red), Some(green), Some(blue)] = parts { rgb(red, green, blue) } else { None }
            }
            _ => None,
        },
        [5, number, ..] => palette(*number),
        [2, red, green, blue] | [2, _, red, green, blue, ..] => rgb(*red, *green, *blue),
        _ => None,
    };
    if let Some(named) = named {
        *colour = named;
    }
}

fn single(params: &mut ParamsIter<'_>) -> Option<u16> {
    params.next().and_then(|param| param.first().copied())
}

fn indexed(number: u16) -> Colour {
    palette(number).unwrap_or_default()
}

fn palette(number: u16) -> Option<Colour> {
    u8::try_from(number).ok().map(Colour::Indexed)
}

fn rgb(red: u16, green: u16, blue: u16) -> Option<Colour> {
    Some(Colour::Rgb(u8::try_from(red).ok()?, u8::try_from(green).ok()?, u8::try_from(blue).ok()?))
}
