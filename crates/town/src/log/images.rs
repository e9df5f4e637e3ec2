//! Pictures that tools gave, beside the log: which are wanted, kept and gone.
//!
//! An event names its pictures and does not have their bytes. Of a container's event they are noted as wanted in the
//! transaction that stores it, so that nothing that happens between the two loses one; the relay fetches them. A posting
//! agent brings its own, before or after the event. The oldest go where there are too many; a picture that no retained
//! event names any more stays until the next one of its agent comes.

use serde::Deserialize;
use serde_json::value::RawValue;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::{Draft, EventKind};
use townwatch_protocol::id::{AgentId, EventId, ImageId, RigId};
use townwatch_protocol::image::{self, ImageType};
use townwatch_protocol::limits::{
    IMAGE_BYTES_PER_AGENT_MAX, IMAGE_PART_BYTES, IMAGE_TRIES_MAX, IMAGES_PER_AGENT_MAX, IMAGES_PER_EVENT_MAX,
};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::FromObject;

use crate::agents::runs::{Source, moment};
use crate::agents::{self, parse, position};
use crate::log;
use crate::log::space;
use crate::store::{Store, atomically};

/// The pause after the first failed try, 1 s. It doubles after each further one, up to [`RETRY_MS_MAX`].
const RETRY_MS_MIN: i64 = 1_000;
/// See [`RETRY_MS_MIN`].
const RETRY_MS_MAX: i64 = 60_000;

/// A picture that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedImage {
    /// The agent whose tool gave the picture.
    pub agent_id: AgentId,
    /// The picture's id.
    pub image_id: ImageId,
}

/// The result of a request for a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The picture.
    Kept(ImageType, Vec<u8>),
    /// The picture is still on its way. A later request will find it.
    Wanted,
    /// The picture is not here, for this reason, in words for a person.
    Gone(String),
}

/// The result of a posted picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// The type of the picture.
    pub kind: ImageType,
    /// Whether it was not here before.
    pub is_new: bool,
}

/// The pictures that an event's data names, each once and at most [`IMAGES_PER_EVENT_MAX`]. Only the result of a tool
/// names pictures. A result without the word `image_id` is not parsed.
fn named(draft: &Draft) -> Vec<ImageId> {
    #[derive(Deserialize)]
    struct Attached {
        image_id: Option<ImageId>,
    }
    #[derive(Deserialize)]
    struct ResultWithAttachments<'a> {
        #[serde(borrow)]
        attachments: Vec<&'a RawValue>,
    }
    let mut named = Vec::new();
    if !draft.event.is(EventKind::ToolResult) || !draft.data.get().contains("\"image_id\"") {
        return named;
    }
    // A posted event may hold anything: an entry that is none of ours names no picture.
    let Ok(FromObject(ResultWithAttachments { attachments })) = serde_json::from_str(draft.data.get()) else {
        return named;
    };
    for entry in attachments {
        if let Ok(FromObject(Attached { image_id: Some(image_id) })) = serde_json::from_str(entry.get())
            && !named.contains(&image_id)
        {
            named.push(image_id);
            if named.len() == IMAGES_PER_EVENT_MAX {
                break;
            }
        }
    }
    named
}

/// Notes the pictures that an event names, within the transaction that stores the event. A known picture becomes as
/// young as this event. If the event is a container's, a picture that is new or gone becomes wanted. A posting agent
/// brings its pictures itself, so none of them becomes wanted.
///
/// The answer is whether a picture became wanted.
pub fn note(store: &dyn Store, id: EventId, pruned_id: EventId, draft: &Draft, source: &Source) -> Result<bool> {
    let (agent_id, mut is_wanted) = (draft.agent_id.as_str(), false);
    for image_id in named(draft) {
        let known = "UPDATE images SET event_id = ? WHERE agent_id = ? AND image_id = ? RETURNING standing";
        let found = store.query(known, &[id.into(), agent_id.into(), image_id.as_str().into()])?;
        if *source != Source::Container {
            continue; // whoever posts events posts their pictures, too
        }
        match found.first().map(|row| row.text(0)).transpose()? {
            Some("gone") => {
                let sql = "UPDATE images SET standing = 'wanted', tries = 0, retry_at_ms = 0, problem = NULL \
                           WHERE agent_id = ? AND image_id = ?";
                store.query(sql, &[agent_id.into(), image_id.as_str().into()])?;
            }
            Some(_) => continue,
            None => {
                make_room(store, &draft.agent_id, pruned_id, NeededRoom { rows: 1, bytes: 0 }, OF_AGENT)?;
                let sql = "INSERT INTO images (agent_id, image_id, standing, event_id) VALUES (?, ?, 'wanted', ?)";
                store.query(sql, &[agent_id.into(), image_id.as_str().into(), id.into()])?;
            }
        }
        is_wanted = true;
    }
    Ok(is_wanted)
}

/// The oldest picture that is to be fetched by now.
pub fn next_wanted(store: &dyn Store, now: Timestamp) -> Result<Option<WantedImage>> {
    let sql = "SELECT agent_id, image_id FROM images WHERE standing = 'wanted' AND retry_at_ms <= ? \
               ORDER BY retry_at_ms, event_id LIMIT 1";
    let rows = store.query(sql, &[now.millis().into()])?;
    let read = |row: &crate::store::Row| {
        let (agent_id, image_id) = (parse(AgentId::parse(row.text(0)?))?, parse(ImageId::parse(row.text(1)?))?);
        Ok(WantedImage { agent_id, image_id })
    };
    rows.first().map(read).transpose()
}

/// The time of the next fetch; `None` where no picture is wanted.
pub fn due_at(store: &dyn Store) -> Result<Option<Timestamp>> {
    let sql = "SELECT retry_at_ms FROM images WHERE standing = 'wanted' ORDER BY retry_at_ms LIMIT 1";
    store.query(sql, &[])?.first().map(|row| moment(row, 0)).transpose()
}

/// Stores the bytes that were fetched for a wanted picture. If the bytes are no picture, or another picture, the
/// wanted one is marked as gone. If the picture is not wanted any more, nothing changes.
pub fn fetched(store: &dyn Store, wanted: &WantedImage, bytes: &[u8]) -> Result<()> {
    let checked = image::inspect(bytes).map_err(|problem| format!("It {problem}."));
    let checked = checked.and_then(|kind| {
        let is_it = image::name(bytes) == wanted.image_id;
        if is_it { Ok(kind) } else { Err("What came for it is another picture.".to_owned()) }
    });
    match checked {
        Err(problem) => lost(store, wanted, &problem),
        Ok(kind) => atomically(store, || match standing(store, &wanted.agent_id, &wanted.image_id)? {
            Some((standing, event_id)) if standing == "wanted" => keep(store, wanted, event_id, kind, bytes, 0),
            _ => Ok(()),
        }),
    }
}

/// Notes that a wanted picture did not come this time; after [`IMAGE_TRIES_MAX`] tries it is gone.
pub fn failed(store: &dyn Store, wanted: &WantedImage, now: Timestamp) -> Result<()> {
    let sql = "SELECT tries FROM images WHERE agent_id = ? AND image_id = ? AND standing = 'wanted'";
    let key = [wanted.agent_id.as_str().into(), wanted.image_id.as_str().into()];
    let Some(tries) = store.query(sql, &key)?.first().map(|row| row.number(0)).transpose()? else { return Ok(()) };
    let tries = tries + 1;
    if tries >= IMAGE_TRIES_MAX {
        return lost(store, wanted, "The container did not give it within five minutes.");
    }
    let wait_ms = RETRY_MS_MIN.saturating_mul(1 << (tries - 1).min(16)).min(RETRY_MS_MAX);
    let sql = "UPDATE images SET tries = ?, retry_at_ms = ? WHERE agent_id = ? AND image_id = ?";
    let [agent_id, image_id] = key;
    store.query(sql, &[tries.into(), now.plus_millis(wait_ms).millis().into(), agent_id, image_id])?;
    Ok(())
}

/// Marks a wanted picture as gone, because it will never come. `problem` is the reason, in words for a person.
pub fn lost(store: &dyn Store, wanted: &WantedImage, problem: &str) -> Result<()> {
    let sql = "UPDATE images SET standing = 'gone', problem = ? \
               WHERE agent_id = ? AND image_id = ? AND standing = 'wanted'";
    store.query(sql, &[problem.into(), wanted.agent_id.as_str().into(), wanted.image_id.as_str().into()])?;
    Ok(())
}

/// Takes a picture that an agent of a rig brings. The same one again changes nothing.
pub fn post(
    store: &dyn Store,
    rig_id: &RigId,
    agent_id: &AgentId,
    image_id: &ImageId,
    media_type: ImageType,
    bytes: &[u8],
) -> Result<Posted> {
    let kind = image::inspect(bytes).map_err(|problem| match problem {
        image::ImageProblem::TooLarge => Error::new(Code::TooLarge, format!("the picture {problem}")),
        problem => Error::invalid("body", format!("the picture {problem}")),
    })?;
    if kind != media_type {
        let (named, is) = (media_type.media_type(), kind.media_type());
        return Err(Error::invalid("Content-Type", format!("it says {named}, and the bytes are {is}")));
    }
    let name = image::name(bytes);
    if name != *image_id {
        return Err(Error::invalid(
            "image_id",
            format!("expected the first 32 digits of the SHA-256 of the bytes, {name}"),
        ));
    }
    atomically(store, || {
        if agents::load(store, agent_id)?.is_none_or(|agent| agent.rig_id != *rig_id) {
            return Err(Error::not_found("agent"));
        }
        let (event_id, new_rows) = match standing(store, agent_id, image_id)? {
            Some((standing, _)) if standing == "kept" => return Ok(Posted { kind, is_new: false }),
            Some((_, event_id)) => (event_id, 0),
            None => (log::head(store)?.next(), 1), // as young as the event that is to name it
        };
        let of = WantedImage { agent_id: agent_id.clone(), image_id: image_id.clone() };
        keep(store, &of, event_id, kind, bytes, new_rows)?;
        Ok(Posted { kind, is_new: true })
    })
}

/// Looks for a picture.
pub fn find(store: &dyn Store, agent_id: &AgentId, image_id: &ImageId) -> Result<Found> {
    let sql = "SELECT standing, media_type, problem FROM images WHERE agent_id = ? AND image_id = ?";
    let key = [agent_id.as_str().into(), image_id.as_str().into()];
    let rows = store.query(sql, &key)?;
    let Some(row) = rows.first() else {
        return Ok(Found::Gone(
            "This picture is not here: it never came, or it went when the agent's log moved on.".to_owned(),
        ));
    };
    match row.text(0)? {
        "wanted" => Ok(Found::Wanted),
        "kept" => {
            let kind = parse(row.maybe_text(1).and_then(ImageType::of_media_type))?;
            let parts = "SELECT bytes FROM image_parts WHERE agent_id = ? AND image_id = ? ORDER BY part";
            let mut bytes = Vec::new();
            for part in store.query(parts, &key)? {
                bytes.extend_from_slice(part.bytes(0)?);
            }
            Ok(Found::Kept(kind, bytes))
        }
        _ => Ok(Found::Gone(
            format!("This picture is gone. {}", row.maybe_text(2).unwrap_or_default()).trim().to_owned(),
        )),
    }
}

fn standing(store: &dyn Store, agent_id: &AgentId, image_id: &ImageId) -> Result<Option<(String, EventId)>> {
    let sql = "SELECT standing, event_id FROM images WHERE agent_id = ? AND image_id = ?";
    let rows = store.query(sql, &[agent_id.as_str().into(), image_id.as_str().into()])?;
    rows.first().map(|row| Ok((row.text(0)?.to_owned(), position(row, 1)?))).transpose()
}

/// Keeps the bytes of a picture, once older ones have made room. `new_rows` is 1 where it has no row yet.
fn keep(
    store: &dyn Store,
    of: &WantedImage,
    event_id: EventId,
    kind: ImageType,
    bytes: &[u8],
    new_rows: u64,
) -> Result<()> {
    let (agent_id, image_id) = (of.agent_id.as_str(), of.image_id.as_str());
    let size = bytes.len() as u64;
    let pruned = store.query("SELECT pruned_id FROM agents WHERE agent_id = ?", &[agent_id.into()])?;
    let pruned_id = pruned.first().map_or(Ok(EventId::START), |row| position(row, 0))?;
    // It must not go for itself.
    let pruned_id = pruned_id.min(event_id.previous());
    space::make_for_picture(store)?;
    make_room(store, &of.agent_id, pruned_id, NeededRoom { rows: new_rows, bytes: size }, OF_AGENT)?;
    let sql = "INSERT INTO images (agent_id, image_id, standing, event_id, media_type, size_bytes) \
               VALUES (?, ?, 'kept', ?, ?, ?) ON CONFLICT DO UPDATE SET \
               standing = 'kept', media_type = excluded.media_type, size_bytes = excluded.size_bytes, problem = NULL";
    let key = [agent_id.into(), image_id.into(), event_id.into(), kind.media_type().into(), size.into()];
    store.query(sql, &key)?;
    for (part, bytes) in (0_u64..).zip(bytes.chunks(IMAGE_PART_BYTES)) {
        let sql = "INSERT INTO image_parts (agent_id, image_id, part, bytes) VALUES (?, ?, ?, ?)";
        store.query(sql, &[agent_id.into(), image_id.into(), part.into(), bytes.into()])?;
    }
    Ok(())
}

/// The room that a picture needs before it is stored; zeros where room is made for no picture.
#[derive(Clone, Copy)]
struct NeededRoom {
    rows: u64,
    bytes: u64,
}

/// A bound on an agent's pictures, with the reason that a person reads for a picture beyond it.
#[derive(Clone, Copy)]
struct Bound {
    bytes: u64,
    problem: &'static str,
}

const OF_AGENT: Bound = Bound { bytes: IMAGE_BYTES_PER_AGENT_MAX, problem: "Newer ones needed its room." };

/// Lets pictures of an agent go that no retained event names any more.
pub(crate) fn let_unnamed_go(store: &dyn Store, agent_id: &AgentId, pruned_id: EventId) -> Result<()> {
    make_room(store, agent_id, pruned_id, NeededRoom { rows: 0, bytes: 0 }, OF_AGENT)
}

/// Lets the oldest pictures of an agent go, of so many bytes together or just more; gives how many these were.
pub(crate) fn let_oldest_go(store: &dyn Store, agent_id: &AgentId, bytes: u64) -> Result<u64> {
    let kept = kept_bytes(store, agent_id)?;
    let problem = "The town's store was full, and its agent took most of it.";
    let bound = Bound { bytes: kept.saturating_sub(bytes), problem };
    make_room(store, agent_id, EventId::START, NeededRoom { rows: 0, bytes: 0 }, bound)?;
    Ok(kept.saturating_sub(kept_bytes(store, agent_id)?))
}

fn kept_bytes(store: &dyn Store, agent_id: &AgentId) -> Result<u64> {
    let rows = store.query("SELECT bytes FROM image_sums WHERE agent_id = ?", &[agent_id.as_str().into()])?;
    rows.first().map_or(Ok(0), |row| row.number(0))
}

/// Lets pictures of an agent go, oldest first: those that no retained event names, what the coming ones leave no room
/// for, and rows beyond their number.
fn make_room(
    store: &dyn Store,
    agent_id: &AgentId,
    pruned_id: EventId,
    needed: NeededRoom,
    bound: Bound,
) -> Result<()> {
    let sql = "SELECT image_id, standing, size_bytes, event_id FROM images WHERE agent_id = ? \
               ORDER BY event_id, image_id";
    let rows = store.query(sql, &[agent_id.as_str().into()])?;
    let (mut count, mut bytes) = (needed.rows + rows.len() as u64, needed.bytes);
    for row in rows.iter().filter(|row| row.maybe_text(1) == Some("kept")) {
        bytes += row.number(2)?;
    }
    let before = bytes - needed.bytes;
    for row in &rows {
        let (image_id, is_kept, size) = (row.text(0)?, row.text(1)? == "kept", row.number(2)?);
        let key = [agent_id.as_str().into(), image_id.into()];
        if position(row, 3)? <= pruned_id || count > IMAGES_PER_AGENT_MAX {
            store.query("DELETE FROM images WHERE agent_id = ? AND image_id = ?", &key)?;
            count -= 1;
        } else if is_kept && bytes > bound.bytes {
            let sql = "UPDATE images SET standing = 'gone', problem = ? WHERE agent_id = ? AND image_id = ?";
            store.query(sql, &[bound.problem.into(), agent_id.as_str().into(), image_id.into()])?;
        } else {
            continue;
        }
        if is_kept {
            bytes -= size;
            store.query("DELETE FROM image_parts WHERE agent_id = ? AND image_id = ?", &key)?;
        }
    }
    if bytes != before {
        let sql = "INSERT OR REPLACE INTO image_sums (agent_id, bytes) VALUES (?, ?)";
        store.query(sql, &[agent_id.as_str().into(), bytes.into()])?;
    }
    Ok(())
}
