//! How a character looks, and what it leads to.

use std::num::NonZeroU16;
use std::ops::{BitAnd, BitOr, Not};

/// A colour as the program named it; what it looks like is decided by who shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// None was named.
    #[default]
    Default,
    /// One of 256: 16 that have names, a cube of 6 × 6 × 6, 24 greys.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// The line under a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Underline {
    /// None.
    #[default]
    None,
    /// `CSI 4 m`.
    Single,
    /// `CSI 21 m` or `CSI 4:2 m`.
    Double,
    /// `CSI 4:3 m`: how editors mark a mistake.
    Curly,
    /// `CSI 4:4 m`.
    Dotted,
    /// `CSI 4:5 m`.
    Dashed,
}

/// Several of [`Attributes::BOLD`] and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes(u8);

impl Attributes {
    /// `CSI 1 m`.
    pub const BOLD: Self = Self(1);
    /// `CSI 2 m`.
    pub const DIM: Self = Self(2);
    /// `CSI 3 m`.
    pub const ITALIC: Self = Self(4);
    /// `CSI 5 m` and `CSI 6 m`.
    pub const BLINK: Self = Self(8);
    /// `CSI 7 m`.
    pub const INVERSE: Self = Self(16);
    /// `CSI 8 m`.
    pub const HIDDEN: Self = Self(32);
    /// `CSI 9 m`.
    pub const STRIKE: Self = Self(64);
    /// `CSI 53 m`.
    pub const OVERLINE: Self = Self(128);

    /// Whether all of these are among them.
    pub fn has(self, those: Self) -> bool {
        self & those == those
    }

    /// As bits, in the order above.
    pub fn bits(self) -> u8 {
        self.0
    }
}

impl BitOr for Attributes {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Attributes {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Attributes {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// The number of a link; [`crate::Terminal::link`] has its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link(pub NonZeroU16);

/// How a character looks, what it leads to and who wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// The colour of the text.
    pub foreground: Colour,
    /// The colour behind it.
    pub background: Colour,
    /// The colour of the line under it.
    pub underline_colour: Colour,
    /// The line under it.
    pub underline: Underline,
    /// Its weights and the like.
    pub attributes: Attributes,
    /// What it leads to.
    pub link: Option<Link>,
    /// The stream that wrote it.
    pub source: u8,
}

impl Style {
    /// How what is erased looks: nothing of the pen but what is behind the text.
    pub(crate) fn erased(self) -> Self {
        Self { background: self.background, source: self.source, ..Self::default() }
    }

    /// Whether a blank of it is seen.
    pub(crate) fn shows_blanks(self) -> bool {
        let lines = Attributes::INVERSE | Attributes::STRIKE | Attributes::OVERLINE;
        self.background != Colour::Default
            || self.underline != Underline::None
            || self.attributes & lines != Attributes::default()
    }
}
