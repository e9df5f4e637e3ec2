//! The reader of a subscription's filters. An unknown name is refused, because a confirmed filter that filters nothing
//! would mislead.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::stream::Filters;

/// Unknown names in a refusal, and the characters shown of each.
const TOLD_MAX: usize = 8;

impl Filters {
    const NAMES: [&'static str; 5] = ["tool_calls", "tool_results", "output", "files", "progress"];

    fn switch(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "tool_calls" => Some(&mut self.tool_calls),
            "tool_results" => Some(&mut self.tool_results),
            "output" => Some(&mut self.output),
            "files" => Some(&mut self.files),
            "progress" => Some(&mut self.progress),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Filters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Switches;

        impl<'de> Visitor<'de> for Switches {
            type Value = Filters;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of filters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Filters, A::Error> {
                let mut filters = Filters::default();
                let (mut seen, mut unknown) = (Vec::new(), Vec::new());
                while let Some(name) = map.next_key::<String>()? {
                    let Some(switch) = filters.switch(&name) else {
                        map.next_value::<IgnoredAny>()?;
                        unknown.push(name);
                        continue;
                    };
                    let wrong = |problem: A::Error| A::Error::custom(format!("filters.{name}: {problem}"));
                    *switch = map.next_value().map_err(wrong)?;
                    if seen.contains(&name) {
                        return Err(A::Error::custom(format!("filters.{name}: is given twice")));
                    }
                    seen.push(name);
                }
                if unknown.is_empty() { Ok(filters) } else { Err(A::Error::custom(none_of_ours(&unknown))) }
            }
        }

        deserializer.deserialize_map(Switches)
    }
}

fn none_of_ours(names: &[String]) -> String {
    let shown = |name: &String| format!("{:?}", name.chars().take(40).collect::<String>());
    let told: Vec<String> = names.iter().take(TOLD_MAX).map(shown).collect();
    let more = if names.len() > TOLD_MAX { " and others" } else { "" };
    let known = Filters::NAMES.join(", ");
    format!("filters: {}{more}: no such filter; there are {known}", told.join(", "))
}
