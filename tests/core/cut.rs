//! Data cut to its frame form: what goes, what stays byte for byte, and that the list says the truth.

use proptest::prelude::*;
use serde_json::value::RawValue;
use townwatch_protocol::body::is_deeper_than;
use townwatch_protocol::limits::{EVENT_BYTES_MAX, EVENT_FRAME_BYTES_MAX};
use townwatch_protocol::wire::Cut;
use townwatch_town::log::cut::{CUTS_MAX, MARK, STRING_BYTES_MIN, cut};
use townwatch_town::log::json_scan::{JsonTree, Scanner, TokenKind};

const FRAME: usize = EVENT_FRAME_BYTES_MAX;

/// Cuts and checks what holds for any data.
fn fit(data: &str, budget: usize) -> (String, Vec<Cut>) {
    let (text, cuts) = cut(data, budget).unwrap();
    let total = text.len() + r#","cut":"#.len() + serde_json::to_string(&cuts).unwrap().len();
    assert!(total <= budget, "{total} > {budget}");
    serde_json::from_str::<&RawValue>(&text).unwrap();
    assert!(!is_deeper_than(text.as_bytes(), depth(data)));
    assert!((1..=CUTS_MAX).contains(&cuts.len()));
    assert_eq!(cut(data, budget), Some((text.clone(), cuts.clone())));
    (text, cuts)
}

fn listed(cuts: &[Cut]) -> Vec<(&str, u64)> {
    cuts.iter().map(|cut| (cut.path.as_str(), cut.bytes)).collect()
}

/// How deep the containers nest, by the scanner's own count.
fn depth(text: &str) -> usize {
    let containers = Scanner::new(text).filter(|token| matches!(token.kind, TokenKind::Object | TokenKind::Array));
    containers.map(|token| token.depth + 1).max().unwrap_or(0)
}

/// The raw texts of the strings that are values.
fn strings(text: &str) -> Vec<&str> {
    Scanner::new(text).filter(|token| token.kind == TokenKind::Text).map(|token| &text[token.span]).collect()
}

#[test]
fn data_within_the_budget_is_left_alone() {
    for data in ["null", r#"{"a": [1, "\ud800"]}"#, &"9".repeat(FRAME)] {
        assert_eq!(cut(data, FRAME), None);
        assert_eq!(cut(data, data.len()), None);
    }
}

#[test]
fn the_longest_strings_are_shortened_to_one_level() {
    let (long, longer, fine) = ("a".repeat(60_000), "b".repeat(300_000), "c".repeat(8_000));
    let data = format!(r#"{{"x":"{long}", "y": {{"z~/":["{longer}",12345678901234567890]}},"w":"{fine}" }}"#);
    let (text, cuts) = fit(&data, FRAME);
    let [a, b, c] = strings(&text)[..] else { unreachable!() };
    assert_eq!(a.len(), b.len());
    assert_eq!(c, format!("\"{fine}\""));
    assert!(text.len() > FRAME - 100 && text.contains("…\",12345678901234567890]}"), "as much as fits");
    let kept = a.len() - 2 - MARK.len();
    assert_eq!(listed(&cuts), [("/x", 60_000 - kept as u64), ("/y/z~0~1/0", 300_000 - kept as u64)]);
}

#[test]
fn no_escape_pair_or_character_is_torn() {
    for unit in ["\\n", "\\\\", "\\\"", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "é", "€", "😀"] {
        for shift in 0..12 {
            let data = format!("\"{}{}\"", "x".repeat(shift), unit.repeat(1_000));
            let (text, cuts) = fit(&data, 700);
            let kept = &text[1 + shift..text.len() - 1 - MARK.len()];
            assert_eq!(kept, unit.repeat(kept.len() / unit.len()));
            assert_eq!(listed(&cuts), [("", (data.len() - text.len() + MARK.len()) as u64)]);
        }
    }
}

#[test]
fn subtrees_go_where_strings_do_not_suffice() {
    let numbers = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    let big = numbers(100_000);
    // The string gets back what the numbers leave.
    let data = format!(r#"{{"text":"{}","numbers":{big},"few":[1,2]}}"#, "t".repeat(100_000));
    let (text, cuts) = fit(&data, FRAME);
    assert!(text.ends_with(r#"t…","numbers":null,"few":[1,2]}"#) && text.len() > FRAME - 100);
    assert_eq!((cuts[1].path.as_str(), cuts[1].bytes), ("/numbers", big.len() as u64));
    // Only as much as has to go, from the largest down.
    let data = format!(r#"{{"rows":[{},{},{}],"a":{}}}"#, numbers(9_000), numbers(15_000), numbers(10), numbers(9_000));
    let (text, cuts) = fit(&data, FRAME);
    assert_eq!(text, data.replace(&numbers(15_000), "null"));
    assert_eq!(listed(&cuts), [("/rows/1", 30_001)]);
    // What lies around a large part stays where there is room for it.
    let big = numbers(40_000);
    let data =
        format!(r#"[{{"id":1,"blob":{big}}},{{"id":2,"blob":{big}}},{{"id":3,"text":"{}"}}]"#, "t".repeat(50_000));
    let (text, cuts) = fit(&data, FRAME);
    assert!(text.starts_with(r#"[{"id":1,"blob":null},{"id":2,"blob":null},{"id":3,"text":"tt"#));
    assert_eq!(listed(&cuts)[..2], [("/0/blob", 80_001), ("/1/blob", 80_001)]);
    // Strings too short to shorten, and a little too much of them.
    let data = format!("[{}]", vec![format!("\"{}\"", "s".repeat(200)); 250].join(","));
    let (text, cuts) = fit(&data, FRAME);
    assert!(cuts.len() < 15 && text.len() > FRAME - 1_000);
}

#[test]
fn more_strings_than_entries() {
    let rows = |count: usize, size: usize| vec![format!("\"{}\"", "s".repeat(size)); count].join(",");
    let (text, cuts) = fit(&format!("[{}]", rows(40, 2_000)), FRAME);
    assert_eq!(cuts.len(), CUTS_MAX);
    assert_eq!(strings(&text).iter().filter(|string| string.len() == 2_002).count(), 8);
    let data = format!(r#"{{"lines":[{}],"last":"{}"}}"#, rows(1_000, 600), "z".repeat(40_000));
    let (text, cuts) = fit(&data, FRAME);
    assert_eq!(text, format!(r#"{{"lines":null,"last":"{}"}}"#, "z".repeat(40_000)));
    assert_eq!(listed(&cuts), [("/lines", 603_001)]);
}

#[test]
fn pathological_data_fits() {
    let size = EVENT_BYTES_MAX;
    let half = size / 2;
    let (giant, nines) = ("k".repeat(size), "9".repeat(size));
    let whole = [
        format!("{}{}", "[".repeat(half), "]".repeat(half)),
        format!("{}1{}", r#"{"":"#.repeat(half / 3), "}".repeat(half / 3)),
        format!("[{}1]", "1,".repeat(half)),
        format!(r#"{{"{giant}":1}}"#),
        format!(r#"{{"{giant}":"{giant}"}}"#),
        format!("{}1", " ".repeat(size)),
        nines.clone(),
    ];
    for data in &whole {
        let (text, cuts) = fit(data, FRAME);
        // Deep down a part may go instead of the root: the pointer says where.
        assert!(text == "null" && cuts[0].path.is_empty() || cuts[0].path.len() > 1, "{:?}", listed(&cuts));
    }
    assert_eq!(fit(&whole[3], 64).0, "null");
    assert_eq!(fit(&whole[5], FRAME).1, [Cut { path: String::new(), bytes: size as u64 + 1 }]);
    let (text, cuts) = fit(&format!(r#"{{"a":{nines},"b":[{{"{giant}":[1]}},2],"":"x"}}"#), FRAME);
    assert_eq!(text, r#"{"a":null,"b":[null,2],"":"x"}"#);
    assert_eq!(listed(&cuts), [("/a", size as u64), ("/b/0", size as u64 + 8)]);
    let (text, cuts) = fit(&format!(r#"{{"a":"{giant}","a":"{giant}","":{{"":"{giant}"}}}}"#), FRAME);
    let left = strings(&text).iter().map(|string| string.len() - 2 - MARK.len()).collect::<Vec<_>>();
    let gone = |index: usize| (size - left[index]) as u64;
    assert_eq!(listed(&cuts), [("/a", gone(0) + gone(1)), ("//", gone(2))], "keys that repeat share an entry");
}

#[test]
fn tokens_and_pointers() {
    let text = r#" {"a" : [1.5e3,"x:\"]",true] ,"b\u002f~\ud83d\ude00\udc00":{}} "#;
    let tokens: Vec<_> = Scanner::new(text).map(|token| (token.kind, token.depth, &text[token.span])).collect();
    let key = r#""b\u002f~\ud83d\ude00\udc00""#;
    let (atom, opening) = (TokenKind::Atom, TokenKind::Object);
    let expected = [
        (opening, 0, "{"),
        (TokenKind::Key, 1, r#""a""#),
        (TokenKind::Array, 1, "["),
        (atom, 2, "1.5e3"),
        (TokenKind::Text, 2, r#""x:\"]""#),
        (atom, 2, "true"),
        (TokenKind::Close, 1, "]"),
        (TokenKind::Key, 1, key),
        (opening, 1, "{"),
        (TokenKind::Close, 1, "}"),
        (TokenKind::Close, 0, "}"),
    ];
    assert_eq!(tokens, expected);
    let tree = JsonTree::read(text, |_| true);
    let pointers: Vec<_> = (0..tree.nodes().len()).map(|node| tree.pointer(node)).collect();
    assert_eq!(pointers, ["", "/a", "/a/0", "/a/1", "/a/2", "/b~1~0😀\u{fffd}"]);
    assert_eq!(tree.children(0).collect::<Vec<_>>(), [1, 5]);
    for (text, levels) in [("", 0), ("1", 0), ("\"[[\"", 0), ("[]", 1), ("[{\"[\":[]},[]]", 3), ("]]][[", 2)] {
        assert_eq!(depth(text), levels, "{text}");
        assert!(
            !is_deeper_than(text.as_bytes(), levels) && (levels == 0 || is_deeper_than(text.as_bytes(), levels - 1))
        );
    }
    assert_eq!(Scanner::new(&[b'[', 0xff, b'"', b'[', b'\\']).count(), 3);
}

// ---- any JSON: a model that knows what each raw piece means, compared with the result in lock-step ---------------

/// A piece of a string: raw text that must not be torn, and the character it means.
type Unit = (&'static str, char);

#[derive(Debug, Clone)]
enum Model {
    Atom(String),
    Text(Vec<Unit>),
    Array(Vec<Self>),
    Object(Vec<(Vec<Unit>, Self)>),
}

const UNITS: &[Unit] = &[
    ("a", 'a'),
    ("€", '€'),
    ("😀", '😀'),
    ("/", '/'),
    ("~", '~'),
    (r"\/", '/'),
    (r"\n", '\n'),
    (r#"\""#, '"'),
    (r"\\", '\\'),
    (r"\u00E9", 'é'),
    (r"\ud83d\ude00", '😀'),
    (r"\uD800", '\u{fffd}'),
    (r"\u0000", '\0'),
    ("…", '…'),
];

fn units(most: usize) -> impl Strategy<Value = Vec<Unit>> {
    let one = prop::sample::select(UNITS).prop_map(|unit| vec![unit; 2]);
    // A long run of one unit, or a mixture of all.
    prop_oneof![
        (prop::sample::select(UNITS), 0..most).prop_map(|(unit, count)| vec![unit; count]),
        prop::collection::vec(one, 0..most.min(20)).prop_map(|pairs| pairs.concat()),
    ]
}

fn model() -> impl Strategy<Value = Model> {
    let atom = prop_oneof![Just("null".to_owned()), "-?[1-9][0-9]{0,60}", "0\\.[0-9]{1,9}e-?[0-9]{1,2}"];
    let leaf = prop_oneof![1 => atom.prop_map(Model::Atom), 2 => units(1_500).prop_map(Model::Text)];
    leaf.prop_recursive(6, 120, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Model::Array),
            prop::collection::vec((units(6), inner), 0..12).prop_map(|mut members| {
                for (index, (key, _)) in members.iter_mut().enumerate() {
                    let bits = (0..4).filter(|bit| index >> bit & 1 == 1);
                    key.push(("-", '-')); // and so no two keys are alike
                    key.extend(bits.map(|bit| [("0", '0'), ("1", '1'), ("2", '2'), ("3", '3')][bit]));
                }
                Model::Object(members)
            }),
        ]
    })
}

fn raw(units: &[Unit]) -> String {
    units.iter().map(|unit| unit.0).collect()
}

fn pointer(above: &str, key: &[Unit]) -> String {
    let key: String = key.iter().map(|unit| unit.1).collect();
    format!("{above}/{}", key.replace('~', "~0").replace('/', "~1"))
}

impl Model {
    fn text(&self) -> String {
        match self {
            Self::Atom(text) => text.clone(),
            Self::Text(units) => format!("\"{}\"", raw(units)),
            Self::Array(values) => format!("[ {}]", values.iter().map(Self::text).collect::<Vec<_>>().join(",\n")),
            Self::Object(members) => {
                let members = members.iter().map(|(key, value)| format!("\"{}\" : {}", raw(key), value.text()));
                format!("{{{}\t}}", members.collect::<Vec<_>>().join(" ,"))
            }
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Atom(_) | Self::Text(_) => 0,
            Self::Array(values) => 1 + values.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => 1 + members.iter().map(|member| member.1.depth()).max().unwrap_or(0),
        }
    }

    /// What the text has to be with these cuts; each that is used is taken out of the list.
    fn expected(&self, path: &str, cuts: &mut Vec<Cut>) -> String {
        if let Some(found) = cuts.iter().position(|cut| cut.path == path) {
            let bytes = usize::try_from(cuts.remove(found).bytes).unwrap();
            let whole = self.text();
            if bytes == whole.len() {
                return "null".to_owned();
            }
            let Self::Text(units) = self else { return format!("not a string: {path}") };
            let keep = whole.len() - 2 - bytes;
            let ends = (0..units.len()).find(|&count| raw(&units[..count]).len() == keep);
            let Some(count) = ends else { return format!("torn: {path}") };
            assert!(keep + 12 > STRING_BYTES_MIN, "too short");
            return format!("\"{}{MARK}\"", raw(&units[..count]));
        }
        match self {
            Self::Atom(_) | Self::Text(_) => self.text(),
            Self::Array(values) => {
                let values = values.iter().enumerate();
                let values = values.map(|(index, value)| value.expected(&format!("{path}/{index}"), cuts));
                format!("[ {}]", values.collect::<Vec<_>>().join(",\n"))
            }
            Self::Object(members) => {
                let members = members
                    .iter()
                    .map(|(key, value)| format!("\"{}\" : {}", raw(key), value.expected(&pointer(path, key), cuts)));
                format!("{{{}\t}}", members.collect::<Vec<_>>().join(" ,"))
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_not_listed_stays_and_what_is_listed_is_true(model in model(), part in 0.0..1.0_f64) {
        let data = model.text();
        prop_assert_eq!(depth(&data), model.depth());
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let budget = ((data.len() as f64 * part) as usize).max(64);
        if data.len() <= budget {
            prop_assert_eq!(cut(&data, budget), None);
        } else {
            let (text, mut cuts) = fit(&data, budget);
            prop_assert_eq!(text, model.expected("", &mut cuts));
            prop_assert_eq!(cuts, []);
        }
    }

    #[test]
    fn any_text_at_all_does_no_harm(text in "[\\[\\]{}\"\\\\u0d8,: é\u{1}-]{0,200}", budget in 0..200_usize) {
        let long = format!("{text}\"{}{text}", "é".repeat(300));
        for data in [text, long] {
            depth(&data);
            cut(&data, budget);
        }
    }
}
