use super::*;

fn of(json: &str) -> Content {
    read(Some(&RawValue::from_string(json.to_owned()).unwrap()), None)
}

#[test]
fn all_texts_are_read() {
    let cases = [
        (r#""plain""#, "plain"),
        ("null", ""),
        ("7", "7"),
        (r#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#, "a\nb"),
        (r#"{"rows":[1.10]}"#, r#"{"rows":[1.10]}"#),
        (r#"[{"type":"resource","resource":{"uri":"r://a","mimeType":"text/plain","text":"inside"}}]"#, "inside"),
        (r#"[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a page"}}]"#, "a page"),
        (r#"[{"type":"document","source":{"type":"content","content":[{"type":"text","text":"deep"}]}}]"#, "deep"),
        (
            r#"[{"type":"search_result","title":"T","source":"https://e.org","content":[{"type":"text","text":"x"}]}]"#,
            "T — https://e.org\nx",
        ),
        (
            r#"[{"type":"web_search_result","title":"T","url":"https://e.org","page_age":"2 days"},
                {"type":"web_search_result","title":"","url":"https://f.org","page_age":null}]"#,
            "T — https://e.org (2 days)\nhttps://f.org",
        ),
        (
            r#"{"type":"web_fetch_result","url":"https://e.org","content":{"type":"document","source":{"type":"text","data":"body"}}}"#,
            "https://e.org\nbody",
        ),
        (
            r#"{"type":"tool_search_tool_search_result","tool_references":[{"type":"tool_reference","tool_name":"a"}]}"#,
            "a",
        ),
        (r#"{"type":"text_editor_code_execution_str_replace_result","lines":["-a","+b"]}"#, "-a\n+b"),
    ];
    for (json, expected) in cases {
        let content = of(json);
        assert_eq!((content.text.as_str(), content.failed), (expected, false), "{json}");
        assert_eq!((content.unknown.len(), content.attachments.len()), (0, 0), "{json}");
    }
}

#[test]
fn a_block_or_a_whole_answer_says_that_it_failed() {
    let cases = [
        (r#"{"content":[{"type":"text","text":"no"}],"isError":true}"#, "no", true),
        (r#"{"content":[],"structuredContent":{"n":1.10},"isError":false}"#, r#"{"n":1.10}"#, false),
        (r#"{"content":[],"page":2}"#, r#"{"content":[],"page":2}"#, false),
        (r#"[{"type":"text","text":"no","is_error":true}]"#, "no", true),
        (r#"[{"type":"error","error":{"type":"overloaded","message":"later"}}]"#, "It failed: overloaded: later", true),
        (
            r#"[{"type":"text","text":"<tool_use_error>no such tool</tool_use_error>"}]"#,
            "<tool_use_error>no such tool</tool_use_error>",
            true,
        ),
        (r#""<tool_use_error>x</tool_use_error>""#, "<tool_use_error>x</tool_use_error>", true),
        (r#""it says <tool_use_error>""#, "it says <tool_use_error>", false),
    ];
    for (json, text, failed) in cases {
        let content = of(json);
        assert_eq!((content.text.as_str(), content.failed, content.unknown.len()), (text, failed, 0), "{json}");
    }
}

#[test]
fn what_failed_says_so() {
    let run = |code: i32| {
        of(&format!(
            r#"{{"type":"bash_code_execution_result","stdout":"out","stderr":"err","return_code":{code},"content":[]}}"#
        ))
    };
    assert_eq!((run(0).text.as_str(), run(0).failed, run(0).exit_code), ("out\nerr", false, Some(0)));
    assert_eq!((run(3).failed, run(3).exit_code), (true, Some(3)));
    for kind in ["web_search", "web_fetch", "code_execution", "text_editor_code_execution", "tool_search"] {
        let content = of(&format!(r#"{{"type":"{kind}_tool_result_error","error_code":"too_many"}}"#));
        assert!(content.failed && content.text.contains("too_many"), "{kind}");
    }
}

#[test]
fn what_is_no_text_is_attached() {
    let content = of(r#"[
        {"type":"text","text":"See:"},
        {"type":"resource_link","uri":"file:///w/r.pdf","name":"r.pdf","mimeType":"application/pdf","size":12},
        {"type":"image","data":"R0lGODlhAgACAIAAACpvl/SiWSwAAAAAAgACAAACA0QCBQA7","mimeType":"image/png"},
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"PHN2Zy8+"}},
        {"type":"image","source":{"type":"url","url":"https://e.org/a.png"}},
        {"type":"audio","data":"AAAA","mimeType":"audio/wav"},
        {"type":"document","title":"Plan","source":{"type":"base64","media_type":"application/pdf","data":"AAAA"}},
        {"type":"resource","resource":{"uri":"r://b","mimeType":"image/gif","blob":"R0lGODlhAgACAIAAACpvl/SiWSwAAAAAAgACAAACA0QCBQA7"}},
        {"type":"resource","resource":{"uri":"r://c","mimeType":"application/zip","blob":"AAAAAA"}}
    ]"#);
    assert_eq!(content.text, "See:\nr.pdf — file:///w/r.pdf");
    let told: Vec<_> = content.attachments.iter().map(|one| serde_json::to_string(one).unwrap()).collect();
    let id = r#""image_id":"5b77ac76b5a4d4f8a0e6cc4226b79faf""#;
    assert_eq!(
        told,
        [
            r#"{"kind":"link","media_type":"application/pdf","name":"r.pdf","uri":"file:///w/r.pdf","size_bytes":12}"#,
            &format!(r#"{{"kind":"image","media_type":"image/gif","size_bytes":36,{id}}}"#),
            r#"{"kind":"image","size_bytes":6,"problem":"Only PNG, JPEG, WebP and GIF pictures are kept, and this is none of them."}"#,
            r#"{"kind":"image","uri":"https://e.org/a.png","problem":"Only its address is told."}"#,
            r#"{"kind":"audio","media_type":"audio/wav","size_bytes":3}"#,
            r#"{"kind":"document","media_type":"application/pdf","name":"Plan","size_bytes":3}"#,
            &format!(r#"{{"kind":"image","media_type":"image/gif","uri":"r://b","size_bytes":36,{id}}}"#),
            r#"{"kind":"document","media_type":"application/zip","uri":"r://c","size_bytes":4}"#,
        ]
    );
    assert_eq!(content.pictures.len(), 2);
}

#[test]
fn structured_content_counts_where_there_is_nothing_else() {
    let data = RawValue::from_string(r#"{"total":1.10,"id":2512292042121000001}"#.into()).unwrap();
    let empty = RawValue::from_string("[]".into()).unwrap();
    let text = RawValue::from_string(r#"[{"type":"text","text":"t"}]"#.into()).unwrap();
    assert_eq!(read(Some(&empty), Some(&data)).text, data.get());
    assert_eq!(read(None, Some(&data)).text, data.get());
    assert_eq!(read(Some(&text), Some(&data)).text, "t");
}

#[test]
fn what_is_unknown_is_shown_and_what_is_endless_bounded() {
    let content = of(r#"[{"type":"hologram","x":1.0},{"type":"text","text":"t"}]"#);
    assert_eq!(content.text, "{\"type\":\"hologram\",\"x\":1.0}\nt");
    assert_eq!(content.unknown, [r#"{"type":"hologram","x":1.0}"#]);
    let links = vec![r#"{"type":"resource_link","uri":"a:b"}"#; 1000].join(",");
    let content = of(&format!("[{links}]"));
    assert_eq!(content.attachments.len(), ATTACHMENTS_MAX);
    assert!(content.text.ends_with("(936 more attachments are not listed)"));
    let deep =
        (0..20).fold(r#""end""#.to_owned(), |inner, _| format!(r#"{{"type":"search_result","content":[{inner}]}}"#));
    assert!(of(&deep).text.contains("search_result"));
}
