//! A town's pictures at the edge: fetching wanted ones from the control server, and serving and taking pictures over
//! HTTP. Fetching runs beside the relay, so that no event waits for a picture.

use std::cell::Cell;
use std::rc::Rc;

use ::worker::Response;
use ::worker::web_sys::Request as Raw;
use js_sys::futures::spawn_local;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, ImageId, RigId};
use townwatch_protocol::limits::{IMAGE_BYTES_MAX, IMAGE_FETCH_MS};
use townwatch_protocol::signed_call::Purpose;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::ImageView;
use townwatch_town::log::images::{self, Found, Posted, WantedImage};

use crate::control_request::ControlRequest;
use crate::http;
use crate::log::log;
use crate::platform;
use crate::town_object::TownObject;

/// The shortest time until the alarm that looks for wanted pictures, 2 s: the running fetch may bring them all.
const LOOK_AGAIN_MS: i64 = 2_000;

/// The state of an instance's fetching.
pub(super) struct ImageFetchState {
    /// Whether pictures may be wanted. A new instance does not know, so it begins with true.
    may_want: Cell<bool>,
    is_busy: Cell<bool>,
}

impl Default for ImageFetchState {
    fn default() -> Self {
        Self { may_want: Cell::new(true), is_busy: Cell::new(false) }
    }
}

/// Begins fetching, because an event that was just stored names a picture.
pub(super) fn want(town: &TownObject) {
    town.image_fetch_state.may_want.set(true);
    begin(town);
}

/// Fetches the wanted pictures one after the other, unless that is running already. If the instance dies, the tables
/// still have the list of wanted pictures, and the relay's alarm continues.
pub(super) fn begin(town: &TownObject) {
    if !town.image_fetch_state.may_want.get() || town.image_fetch_state.is_busy.get() {
        return;
    }
    let Ok(town) = town.shared() else { return };
    town.image_fetch_state.is_busy.set(true);
    spawn_local(async move {
        if let Err(error) = fetch_all(&town).await
            && error.code != Code::NotFound
        {
            log("image_error", &[("message", &error.message)]);
        }
        town.image_fetch_state.is_busy.set(false);
    });
}

/// The time at which the alarm is to look for wanted pictures; `None` where no picture is wanted.
pub(super) fn due_at(town: &TownObject) -> Result<Option<Timestamp>> {
    if !town.image_fetch_state.may_want.get() {
        return Ok(None);
    }
    let due_at = town.with(|_| images::due_at(town.store.as_ref()))?;
    town.image_fetch_state.may_want.set(due_at.is_some());
    Ok(due_at.map(|at| at.max(platform::now().plus_millis(LOOK_AGAIN_MS))))
}

/// Fetches until no picture is due. After a failed one the others wait, too.
async fn fetch_all(town: &Rc<TownObject>) -> Result<()> {
    // The town is looked for at each step: it may be deleted meanwhile.
    while let Some(wanted) = town.with(|_| images::next_wanted(town.store.as_ref(), platform::now()))? {
        let fetched = fetch(town, &wanted).await;
        let store = town.store.as_ref();
        town.with(|_| match &fetched {
            Ok(bytes) => images::fetched(store, &wanted, bytes),
            Err(error) if error.code == Code::NotFound => images::lost(store, &wanted, &error.message),
            Err(_) => images::failed(store, &wanted, platform::now()),
        })?;
        if let Err(error) = fetched
            && error.code != Code::NotFound
        {
            return Err(error);
        }
    }
    Ok(())
}

async fn fetch(town: &TownObject, wanted: &WantedImage) -> Result<Vec<u8>> {
    let upstream = town.upstream()?;
    let upstream =
        upstream.ok_or_else(|| Error::new(Code::NotConfigured, "neither CONTAINER_URL nor a container is set"))?;
    if !upstream.is_running() {
        return Err(Error::new(Code::NotFound, "The container stopped before it was fetched."));
    }
    let path = format!("/agents/{}/images/{}", wanted.agent_id, wanted.image_id);
    let request = ControlRequest::get(Purpose::Relay, path, IMAGE_FETCH_MS).at_most(IMAGE_BYTES_MAX);
    upstream.bytes(request).await.map_err(|error| match error.code {
        Code::NotFound => Error::new(Code::NotFound, "The container did not have it any more."),
        _ => error,
    })
}

/// `GET …/agents/:agent/images/:image`.
pub(super) fn read(town: &TownObject, agent_id: &AgentId, image_id: &ImageId) -> Result<Response> {
    match town.with(|_| images::find(town.store.as_ref(), agent_id, image_id))? {
        Found::Kept(kind, bytes) => Ok(http::image(kind, bytes, image_id)),
        Found::Wanted => {
            begin(town);
            let message = "This picture is still on its way from the container. Ask again in a moment.";
            Ok(http::not_yet(&Error::new(Code::NotFound, message)))
        }
        Found::Gone(why) => Err(Error::new(Code::NotFound, why)),
    }
}

/// `PUT /api/rigs/:rig/agents/:agent/images/:image`.
pub(super) async fn put(
    town: &TownObject,
    rig_id: &RigId,
    agent_id: &AgentId,
    image_id: ImageId,
    request: &Raw,
) -> Result<Response> {
    let (media_type, bytes) = http::read_image(request).await?;
    let Posted { kind, is_new } =
        town.with(|_| images::post(town.store.as_ref(), rig_id, agent_id, &image_id, media_type, &bytes))?;
    let view = ImageView { image_id, media_type: kind.media_type().to_owned(), size_bytes: bytes.len() as u64 };
    Ok(http::success(if is_new { 201 } else { 200 }, &view))
}
