use super::*;

fn buffer(memory_bytes: usize, disk_bytes: u64) -> Buffer {
    Buffer::new(Bounds { memory_bytes, disk_bytes, events: 100_000 }, std::env::temp_dir())
}

fn agent(name: &str) -> AgentId {
    AgentId::parse(name).unwrap()
}

fn texts(texts: &[BufferedText]) -> Vec<String> {
    let read = |text: &BufferedText| match text {
        BufferedText::Memory(text) => text.to_string(),
        BufferedText::Disk(spooled) => spooled.read().unwrap(),
    };
    texts.iter().map(read).collect()
}

fn ids(buffer: &Buffer, agent: Option<&AgentId>, after: u64) -> Vec<u64> {
    let all = texts(&buffer.after(agent, after, usize::MAX, usize::MAX));
    all.iter().map(|text| text.trim_end_matches('x').parse().unwrap()).collect()
}

fn fill(buffer: &mut Buffer, agent: &AgentId, count: usize, bytes: usize) {
    for _ in 0..count {
        buffer.push(agent, |id| format!("{id:x<bytes$}"));
    }
}

#[test]
fn an_acknowledgement_frees_all_but_an_agents_latest_500() {
    let (mut buffer, one, two) = (buffer(1 << 20, 1 << 20), agent("one"), agent("two"));
    fill(&mut buffer, &one, 700, 8);
    fill(&mut buffer, &two, 10, 8);
    assert_eq!(buffer.oldest(), 1);
    buffer.acknowledge(650);
    assert_eq!(ids(&buffer, Some(&one), 0), (201..=700).collect::<Vec<_>>());
    assert_eq!(ids(&buffer, Some(&two), 705), (706..=710).collect::<Vec<_>>());
    fill(&mut buffer, &one, 500, 8);
    assert_eq!(buffer.oldest(), 651, "what is not acknowledged stays beyond 500");
    buffer.acknowledge(100);
    assert_eq!(buffer.oldest(), 651, "an older acknowledgement changes nothing");
    buffer.acknowledge(u64::MAX);
    assert_eq!(ids(&buffer, None, 0), (701..=1210).collect::<Vec<_>>());
    fill(&mut buffer, &one, 1, 8);
    assert_eq!(buffer.head(), 1211, "an acknowledgement beyond the head does not acknowledge what is to come");
    assert_eq!(ids(&buffer, None, 1210), [1211]);
}

#[test]
fn an_expired_run_goes_when_it_is_acknowledged_and_takes_no_newer_one_along() {
    let (mut buffer, one) = (buffer(1 << 20, 1 << 20), agent("one"));
    fill(&mut buffer, &one, 10, 8);
    fill(&mut buffer, &one, 5, 8);
    buffer.acknowledge(6);
    buffer.expire(&one, 10);
    assert_eq!(ids(&buffer, None, 0), (7..=15).collect::<Vec<_>>());
    buffer.acknowledge(15);
    assert_eq!(ids(&buffer, None, 0), (11..=15).collect::<Vec<_>>());
    buffer.expire(&one, 15);
    assert!(!buffer.holds(&one) && buffer.entries.is_empty() && buffer.memory_bytes == 0);
    assert_eq!((buffer.head(), buffer.oldest()), (15, 16));
}

#[test]
fn beyond_memory_events_go_to_disk_and_come_back_whole() {
    let (mut buffer, one) = (buffer(10_000, 1 << 20), agent("one"));
    fill(&mut buffer, &one, 600, 100);
    assert!(buffer.memory_bytes <= 10_000);
    assert_eq!(ids(&buffer, None, 0), (1..=600).collect::<Vec<_>>());
    assert_eq!(ids(&buffer, Some(&one), 590), (591..=600).collect::<Vec<_>>());
    buffer.acknowledge(600);
    buffer.expire(&one, 600);
    assert!(buffer.spool.is_empty() && buffer.memory_bytes == 0);
}

#[test]
fn beyond_the_disk_bound_the_oldest_go_and_the_town_can_see_it() {
    let (mut buffer, one, two) = (buffer(10_000, 160_000), agent("one"), agent("two"));
    fill(&mut buffer, &two, 3, 100);
    buffer.acknowledge(3);
    fill(&mut buffer, &one, 5000, 100);
    let oldest = buffer.oldest();
    assert!((3000..3500).contains(&oldest), "{oldest}");
    assert_eq!(ids(&buffer, None, 0), (oldest..=5003).collect::<Vec<_>>());
    assert_eq!(ids(&buffer, Some(&one), 0), (oldest..=5003).collect::<Vec<_>>());
    assert!(!buffer.holds(&two));
}

#[test]
fn an_answer_is_bounded_and_never_empty_for_the_bound() {
    let (mut buffer, one) = (buffer(1 << 20, 1 << 20), agent("one"));
    fill(&mut buffer, &one, 10, 100);
    assert_eq!(buffer.after(None, 0, 3, usize::MAX).len(), 3);
    assert_eq!(buffer.after(None, 0, 100, 202).len(), 2);
    assert_eq!(buffer.after(None, 0, 100, 5).len(), 1);
}
