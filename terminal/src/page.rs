//! What the dashboard calls: thin bindings, numbers in one array so that a long text costs one copy.

use std::fmt::Write;
use std::num::NonZeroU16;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::Terminal;
use crate::style::{Colour, Link, Style};

/// Numbers of a span: see [`ScreenUpdate::spans`].
const SPAN_NUMBERS: usize = 7;
/// No colour was named.
const DEFAULT_COLOUR: u32 = 0;
/// Added to one of 256.
const INDEXED: u32 = 1 << 24;
/// Added to red, green and blue.
const RGB: u32 = 2 << 24;

/// A terminal for the page.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct PageTerminal {
    terminal: Terminal,
}

/// What has changed.
#[wasm_bindgen]
#[derive(Debug)]
pub struct ScreenUpdate {
    dropped: f64,
    from: f64,
    text: String,
    spans: Vec<u32>,
}

#[wasm_bindgen]
impl PageTerminal {
    /// An empty one.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a text that a stream printed; 1 is standard error.
    pub fn feed(&mut self, source: u8, text: &str) {
        self.terminal.feed(source, text.as_bytes());
    }

    /// What has changed since this was last asked.
    pub fn changes(&mut self) -> ScreenUpdate {
        let changes = self.terminal.take_changes();
        let (mut text, mut spans) = (String::new(), Vec::with_capacity(changes.lines.len() * SPAN_NUMBERS));
        for line in &changes.lines {
            for span in line {
                let length = span.text.encode_utf16().count();
                spans.push(u32::try_from(length).unwrap_or(u32::MAX));
                spans.extend(numbers(&span.style));
                let _ = text.write_str(&span.text);
            }
            spans.push(u32::MAX);
        }
        #[allow(clippy::cast_precision_loss)] // JavaScript has no other numbers, and 2^53 lines are enough
        let (dropped, from) = (changes.dropped as f64, changes.from as f64);
        ScreenUpdate { dropped, from, text, spans }
    }

    /// The address of a link.
    pub fn link(&self, number: u16) -> Option<String> {
        NonZeroU16::new(number).and_then(|number| self.terminal.link(Link(number))).map(str::to_owned)
    }
}

#[wasm_bindgen]
impl ScreenUpdate {
    /// Lines that went because of a bound.
    #[wasm_bindgen(getter)]
    pub fn dropped(&self) -> f64 {
        self.dropped
    }

    /// The first line that has changed.
    #[wasm_bindgen(getter)]
    pub fn from(&self) -> f64 {
        self.from
    }

    /// The texts of all spans, one behind the other.
    #[wasm_bindgen(getter)]
    pub fn text(&self) -> String {
        self.text.clone()
    }

    /// For each span its length in UTF-16, attributes (bits) and underline (from bit 8), source, foreground, background,
    /// colour of the underline, and link; a line ends with 4294967295.
    #[wasm_bindgen(getter)]
    pub fn spans(&self) -> Vec<u32> {
        self.spans.clone()
    }
}

fn numbers(style: &Style) -> [u32; SPAN_NUMBERS - 1] {
    [
        u32::from(style.attributes.bits()) | (style.underline as u32) << 8,
        u32::from(style.source),
        colour(style.foreground),
        colour(style.background),
        colour(style.underline_colour),
        style.link.map_or(0, |link| u32::from(link.0.get())),
    ]
}

fn colour(colour: Colour) -> u32 {
    match colour {
        Colour::Default => DEFAULT_COLOUR,
        Colour::Indexed(number) => INDEXED + u32::from(number),
        Colour::Rgb(red, green, blue) => RGB + (u32::from(red) << 16 | u32::from(green) << 8 | u32::from(blue)),
    }
}
