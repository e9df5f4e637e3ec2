//! JSON text as it stands: tokens with their byte spans, and values with their JSON Pointers. Nothing is decoded but
//! the keys of a pointer, so long integers and lone surrogates pass, and nothing recurses, so depth costs no stack.
//!
//! The text is taken for valid. On any other bytes nothing panics or hangs, but the answers mean little.

use std::ops::Range;

/// Values with a longer pointer are not kept in a [`JsonTree`]; they are reached through what encloses them.
pub const POINTER_BYTES_MAX: usize = 1 << 10;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `{`, and as a value the whole object.
    Object,
    /// `[`, and as a value the whole array.
    Array,
    /// `}` or `]`.
    Close,
    /// A member's name, with its quotes.
    Key,
    /// A string that is a value, with its quotes.
    Text,
    /// A number, `true`, `false` or `null`.
    Atom,
}

/// A token. Commas, colons and white space are no tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The kind of the token.
    pub kind: TokenKind,
    /// The place of the token in the text, in bytes.
    pub span: Range<usize>,
    /// The number of containers around the token. A bracket is not inside its own container.
    pub depth: usize,
}

/// The tokens of a text, in order.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    /// Starts at the first byte.
    pub fn new(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { bytes: text.as_ref(), at: 0, depth: 0 }
    }

    /// The first place from `from` whose byte is as asked, or the end.
    fn seek(&self, from: usize, wanted: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        rest.iter().position(|&byte| wanted(byte)).map_or(self.bytes.len(), |offset| from + offset)
    }

    /// Past the closing quote of the string that opens at `start`.
    fn string_end(&self, start: usize) -> usize {
        let mut at = start + 1;
        loop {
            at = self.seek(at, |byte| matches!(byte, b'"' | b'\\'));
            match self.bytes.get(at) {
                Some(b'\\') => at += 2,
                Some(_) => return at + 1,
                None => return self.bytes.len(),
            }
        }
    }
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.seek(self.at, |byte| !is_gap(byte));
        let (kind, end) = match self.bytes.get(start)? {
            b'{' => (TokenKind::Object, start + 1),
            b'[' => (TokenKind::Array, start + 1),
            b'}' | b']' => (TokenKind::Close, start + 1),
            b'"' => {
                let end = self.string_end(start);
                let after = self.seek(end, |byte| !is_space(byte));
                (if self.bytes.get(after) == Some(&b':') { TokenKind::Key } else { TokenKind::Text }, end)
            }
            _ => (
                TokenKind::Atom,
                self.seek(start, |byte| is_gap(byte) || matches!(byte, b'{' | b'}' | b'[' | b']' | b'"')),
            ),
        };
        self.at = end;
        if kind == TokenKind::Close {
            self.depth = self.depth.saturating_sub(1);
        }
        let depth = self.depth;
        if matches!(kind, TokenKind::Object | TokenKind::Array) {
            self.depth += 1;
        }
        Some(Token { kind, span: start..end, depth })
    }
}

/// A value: a leaf or a whole subtree.
#[derive(Debug, Clone)]
pub struct Node {
    /// Never [`TokenKind::Close`] or [`TokenKind::Key`].
    pub kind: TokenKind,
    /// The place of the whole value in the text, in bytes.
    pub span: Range<usize>,
    /// Not less than its pointer takes inside a JSON string.
    pub pointer_bytes: usize,
    parent: Option<usize>,
    step: PathStep,
    next: usize,
}

/// The step from a value's parent to the value.
#[derive(Debug, Clone)]
enum PathStep {
    Root,
    Index(usize),
    /// The place of the key, with its quotes.
    Key(Range<usize>),
}

/// The values of a text that were worth keeping, each before what it holds.
#[derive(Debug, Clone)]
pub struct JsonTree<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

impl<'a> JsonTree<'a> {
    /// Reads the text and keeps the values that `keep` wants. What lies in a value that is not kept is not kept
    /// either, and so memory is spent on what matters.
    pub fn read(text: &'a str, keep: impl Fn(&Node) -> bool) -> Self {
        let mut tree = Self { text, nodes: Vec::new() };
        let mut open: Vec<(usize, usize)> = Vec::new(); // the containers around the place: node, values so far
        let mut key = None;
        let mut unkept = None; // the depth of a container that is passed over whole
        for token in Scanner::new(text) {
            match (token.kind, unkept) {
                (TokenKind::Close, Some(depth)) if depth == token.depth => unkept = None,
                (_, Some(_)) => {}
                (TokenKind::Key, None) => key = Some(token.span),
                (TokenKind::Close, None) => {
                    let Some((index, _)) = open.pop() else { continue };
                    let next = tree.nodes.len();
                    let Some(node) = tree.nodes.get_mut(index) else { continue };
                    (node.span.end, node.next) = (token.span.end, next);
                    if !keep(node) {
                        tree.nodes.truncate(index);
                    }
                }
                (kind, None) => {
                    let is_container = matches!(kind, TokenKind::Object | TokenKind::Array);
                    let node = tree.node(token.kind, token.span, open.last().copied(), key.take());
                    if let Some((_, values)) = open.last_mut() {
                        *values += 1;
                    }
                    if node.pointer_bytes > POINTER_BYTES_MAX {
                        unkept = is_container.then_some(token.depth);
                    } else if is_container {
                        open.push((tree.nodes.len(), 0));
                        tree.nodes.push(node);
                    } else if keep(&node) {
                        tree.nodes.push(node);
                    }
                }
            }
        }
        tree
    }

    fn node(
        &self,
        kind: TokenKind,
        span: Range<usize>,
        around: Option<(usize, usize)>,
        key: Option<Range<usize>>,
    ) -> Node {
        let parent = around.map(|(index, _)| index);
        let above = parent.and_then(|index| self.nodes.get(index)).map_or(0, |node| node.pointer_bytes);
        let (step, own) = match (around, key) {
            (None, _) => (PathStep::Root, 0),
            (Some(_), Some(key)) => {
                // Escapes only get shorter on their way from a key to a pointer; `~` and `/` grow by one.
                let grown = self.text.as_bytes().get(key.clone()).unwrap_or_default().iter();
                let own = key.len() + grown.filter(|byte| matches!(byte, b'~' | b'/')).count();
                (PathStep::Key(key), own.saturating_sub(1)) // less two quotes, plus the slash
            }
            (Some((_, values)), None) => (PathStep::Index(values), 1 + digits(values)),
        };
        Node { kind, span, pointer_bytes: above + own, parent, step, next: self.nodes.len() + 1 }
    }

    /// The text that was read.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The values that were kept, in the order of the text. The first is the root.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The kept values right inside this one.
    pub fn children(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes.get(index).map_or(0, |node| node.next);
        let within = move |child: &usize| *child < end;
        std::iter::successors(Some(index + 1).filter(within), move |child| {
            self.nodes.get(*child).map(|node| node.next).filter(within)
        })
    }

    /// Whether `inner` is `outer` or lies inside it.
    pub fn holds(&self, outer: usize, inner: usize) -> bool {
        outer <= inner && self.nodes.get(outer).is_some_and(|node| inner < node.next)
    }

    /// The JSON Pointer (RFC 6901) of a value. Lone surrogates in its keys read as U+FFFD.
    pub fn pointer(&self, index: usize) -> String {
        let mut steps = Vec::new();
        let mut at = self.nodes.get(index);
        while let Some(node) = at {
            steps.push(&node.step);
            at = node.parent.and_then(|parent| self.nodes.get(parent));
        }
        let mut pointer = String::new();
        for step in steps.into_iter().rev() {
            match step {
                PathStep::Root => {}
                PathStep::Index(index) => {
                    pointer.push('/');
                    pointer.push_str(&index.to_string());
                }
                PathStep::Key(key) => {
                    pointer.push('/');
                    for (_, char) in chars(self.text.get(key.start + 1..key.end - 1).unwrap_or_default()) {
                        match char {
                            '~' => pointer.push_str("~0"),
                            '/' => pointer.push_str("~1"),
                            other => pointer.push(other),
                        }
                    }
                }
            }
        }
        pointer
    }
}

/// The characters of a string's inside, each with the raw bytes it takes: an escape, or the two of a surrogate pair,
/// is one character; a lone surrogate reads as U+FFFD.
pub fn chars(inside: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut rest = inside;
    std::iter::from_fn(move || {
        let (length, char) = first_char(rest)?;
        rest = rest.get(length..)?;
        Some((length, char))
    })
}

fn first_char(text: &str) -> Option<(usize, char)> {
    let first = text.chars().next()?;
    if first != '\\' {
        return Some((first.len_utf8(), first));
    }
    let plain = match text.as_bytes().get(1) {
        Some(b'u') => return Some(unicode_escape(text).unwrap_or((1, first))),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
        _ => return Some((1, first)), // not JSON
    };
    Some((2, plain))
}

fn unicode_escape(text: &str) -> Option<(usize, char)> {
    let unit = |from: usize| {
        let digits = text.get(from..from + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    if let (0xD800..0xDC00, Some(second @ 0xDC00..0xE000)) = (first, unit(6)) {
        let pair = char::decode_utf16([first, second]).next()?;
        return Some((12, pair.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
    Some((6, char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER)))
}

/// The number of decimal digits of a number.
pub fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_gap(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b',' | b':')
}
