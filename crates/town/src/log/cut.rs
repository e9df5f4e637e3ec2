//! An event's data made to fit its frame: longest strings first, then whole subtrees, and a list of what was left out.
//!
//! Works on the raw text, so that all that stays is byte for byte what came in.

use std::cmp::Reverse;

use townwatch_protocol::wire::Cut;

use super::json_scan::{JsonTree, Node, TokenKind, chars, digits};

/// Entries in one cut list. Where more strings are too long, only the longest are shortened, each by more.
pub const CUTS_MAX: usize = 32;
/// Raw bytes that a shortened string keeps at least, less what one character takes.
pub const STRING_BYTES_MIN: usize = 256;
/// Ends a string that was shortened.
pub const MARK: &str = "…";

/// Whole subtrees among the cuts; the other entries are left to strings.
const SUBTREES_MAX: usize = CUTS_MAX / 2;
/// Stands for a subtree that was cut.
const NULL: &str = "null";
/// The bytes of a frame's list of cuts without its entries.
const LIST_BYTES: usize = r#","cut":[]"#.len();

/// Shortens JSON text so that it takes, with `,"cut":[…]`, at most `budget_bytes`; `None` where it does so as it is.
///
/// The longest strings are shortened to one length, the greatest that fits, and end in [`MARK`]. Where
/// [`STRING_BYTES_MIN`] for each is still too much, subtrees become `null`, largest first, as far down as will do, and
/// the strings get back what that leaves. In the extreme the root becomes `null`, with one entry, and that is all
/// that can be done for a budget under 64 bytes.
///
/// Entries are in the order of the text and none lies inside another; keys that repeat share one. `bytes` counts raw
/// bytes of `data`, without the mark or the `null` in their place.
pub fn cut(data: &str, budget_bytes: usize) -> Option<(String, Vec<Cut>)> {
    if data.len() <= budget_bytes {
        return None;
    }
    let tree = JsonTree::read(data, |node| node_gain(node) > 0);
    let planner = Planner::new(&tree, budget_bytes.saturating_sub(LIST_BYTES));
    let fitting = planner.plan().and_then(|plan| apply(&tree, &plan)).filter(|(text, cuts)| {
        let list = serde_json::to_string(cuts).map_or(usize::MAX, |list| list.len());
        (text.len() + LIST_BYTES - 2).saturating_add(list) <= budget_bytes
    });
    Some(fitting.unwrap_or_else(|| (NULL.to_owned(), vec![Cut { path: String::new(), bytes: data.len() as u64 }])))
}

/// One cut: a string keeps a number of raw bytes, or the value becomes `null`.
struct Edit {
    node: usize,
    keep: Option<usize>,
}

struct Planner<'a> {
    tree: &'a JsonTree<'a>,
    /// Bytes for the text and the entries.
    room: usize,
    /// The strings that gain from being shortened, longest first.
    strings: Vec<usize>,
}

impl<'a> Planner<'a> {
    fn new(tree: &'a JsonTree<'a>, room: usize) -> Self {
        let mut planner = Self { tree, room, strings: Vec::new() };
        let mut strings: Vec<usize> = (0..tree.nodes().len()).filter(|&node| planner.string_gain(node) > 0).collect();
        strings.sort_by_key(|&node| Reverse(planner.span_bytes(node))); // stable: equals stay in order
        planner.strings = strings;
        planner
    }

    /// The cuts in the order of the text, or `None` where only the root will do.
    fn plan(&self) -> Option<Vec<Edit>> {
        let mut plan = self.shorten(&[]).or_else(|| {
            let subtrees = self.subtrees()?;
            let is_no_string = |node: &usize| !self.strings.contains(node);
            let without_strings: Vec<usize> = subtrees.iter().copied().filter(is_no_string).collect();
            self.shorten(&without_strings).or_else(|| self.shorten(&subtrees))
        })?;
        plan.sort_by_key(|edit| edit.node);
        Some(plan)
    }

    /// The cuts after the subtrees in `gone` are removed. As few of the longest strings as possible are cut, all to one
    /// length, the greatest that fits. With each further string that length rises, until it reaches the length of the
    /// next string.
    fn shorten(&self, gone: &[usize]) -> Option<Vec<Edit>> {
        let mut size = self.tree.text().len();
        for &node in gone {
            size = size.saturating_sub(self.span_bytes(node)) + NULL.len() + self.entry_bytes(node);
        }
        let mut plan: Vec<Edit> = gone.iter().map(|&node| Edit { node, keep: None }).collect();
        if size <= self.room {
            return Some(plan);
        }
        let left = |string: &usize| !gone.iter().any(|&node| self.tree.holds(node, *string));
        let strings = self.strings.iter().copied().filter(left).take(CUTS_MAX.saturating_sub(gone.len()));
        let mut strings = strings.peekable();
        let mut chosen = Vec::new();
        while let Some(string) = strings.next() {
            chosen.push(string);
            size = size.saturating_sub(self.inside_bytes(string)) + self.string_cost(string);
            let level = self.room.saturating_sub(size) / chosen.len();
            let is_last = |&next: &usize| self.inside_bytes(next) <= level + self.string_cost(next);
            if level >= STRING_BYTES_MIN && strings.peek().is_none_or(is_last) {
                plan.extend(chosen.into_iter().map(|node| Edit { node, keep: Some(level) }));
                return Some(plan);
            }
        }
        None
    }

    /// The subtrees to remove where cutting strings is not enough: from the root down the largest values, and of the
    /// last one only a part where that is enough. `None` where only the whole root would do.
    fn subtrees(&self) -> Option<Vec<usize>> {
        let shortened = self.strings.get(..CUTS_MAX - SUBTREES_MAX).unwrap_or(&self.strings);
        let saved = |node: usize| -> usize {
            let inside = shortened.iter().filter(|&&string| self.tree.holds(node, string));
            inside.map(|&string| self.string_gain(string)).sum()
        };
        let gain = |node: usize| self.tree.nodes().get(node).map_or(0, node_gain).saturating_sub(saved(node));
        let largest_first = |node: usize| {
            let mut children: Vec<_> = self.tree.children(node).map(|child| (Reverse(gain(child)), child)).collect();
            children.sort_unstable();
            children
        };
        let all = self.tree.text().len().saturating_sub(saved(0) + self.room);
        let mut need = all;
        let mut picked = Vec::new();
        let mut at = 0;
        loop {
            let above = picked.len();
            let mut enough = None;
            for (Reverse(gain), child) in largest_first(at) {
                if gain == 0 || picked.len() == SUBTREES_MAX {
                    break;
                }
                if gain >= need {
                    enough = Some(child);
                    break;
                }
                need -= gain;
                picked.push(child);
            }
            if let Some(child) = enough {
                at = child;
                continue;
            }
            picked.truncate(above);
            picked.push(at);
            break;
        }
        // What went whole may keep the little around its largest part, as far as more went than was needed.
        let mut spare = picked.iter().map(|&node| gain(node)).sum::<usize>().saturating_sub(all);
        for node in &mut picked {
            while let Some(child) = self.tree.children(*node).max_by_key(|&child| (gain(child), Reverse(child))) {
                let Some(rest) = spare.checked_sub(gain(*node).saturating_sub(gain(child))) else { break };
                (spare, *node) = (rest, child);
            }
        }
        (at != 0).then_some(picked)
    }

    fn span_bytes(&self, node: usize) -> usize {
        self.tree.nodes().get(node).map_or(0, |node| node.span.len())
    }

    fn inside_bytes(&self, string: usize) -> usize {
        self.span_bytes(string).saturating_sub(2)
    }

    fn entry_bytes(&self, node: usize) -> usize {
        self.tree.nodes().get(node).map_or(0, entry_bytes)
    }

    /// The bytes of a shortened string besides those that it keeps.
    fn string_cost(&self, string: usize) -> usize {
        MARK.len() + self.entry_bytes(string)
    }

    /// The bytes gained by the greatest cut of a string; 0 for any other value.
    fn string_gain(&self, node: usize) -> usize {
        let is_string = self.tree.nodes().get(node).is_some_and(|node| node.kind == TokenKind::Text);
        let rest = STRING_BYTES_MIN + self.string_cost(node);
        if is_string { self.inside_bytes(node).saturating_sub(rest) } else { 0 }
    }
}

/// The most bytes of a cut's entry for this value, with its comma.
fn entry_bytes(node: &Node) -> usize {
    r#"{"path":"","bytes":},"#.len() + node.pointer_bytes + digits(node.span.len())
}

/// The bytes gained by removing a value. A value inside always gains less.
fn node_gain(node: &Node) -> usize {
    node.span.len().saturating_sub(NULL.len() + entry_bytes(node))
}

fn apply(tree: &JsonTree<'_>, plan: &[Edit]) -> Option<(String, Vec<Cut>)> {
    let data = tree.text();
    let mut text = String::new();
    let mut cuts: Vec<Cut> = Vec::with_capacity(plan.len());
    let mut done = 0;
    for edit in plan {
        let span = tree.nodes().get(edit.node)?.span.clone();
        let (gone, stand_in) = match edit.keep {
            None => (span, NULL),
            Some(keep) => {
                let inside = span.start + 1..span.end - 1;
                let kept = prefix(data.get(inside.clone())?, keep);
                (inside.start + kept..inside.end, MARK)
            }
        };
        text.push_str(data.get(done..gone.start)?);
        text.push_str(stand_in);
        done = gone.end;
        let (path, bytes) = (tree.pointer(edit.node), gone.len() as u64);
        match cuts.iter_mut().find(|cut| cut.path == path) {
            Some(cut) => cut.bytes += bytes,
            None => cuts.push(Cut { path, bytes }),
        }
    }
    text.push_str(data.get(done..)?);
    Some((text, cuts))
}

/// The longest beginning of a string's inside that fits into `most` bytes and splits no character or escape.
fn prefix(inside: &str, most: usize) -> usize {
    let ends = chars(inside).scan(0, |end, (length, _)| {
        *end += length;
        Some(*end)
    });
    ends.take_while(|&end| end <= most).last().unwrap_or(0)
}
