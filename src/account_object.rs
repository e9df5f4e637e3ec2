//! The Account object: a thin shim around [`townwatch_town::account`]. Key: `default`. It makes and deletes towns,
//! and signs browsers in and out.

use std::cell::{Cell, RefCell};

use ::worker::web_sys::Request as Raw;
use ::worker::{DurableObject, Env, Request, Response, State};
use futures_util::stream::{StreamExt, iter};
use serde::Deserialize;
use serde_json::{Value, json};
use townwatch_protocol::body::parse_body;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{SessionId, TownId};
use townwatch_protocol::query::Address;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{SignInCode, TownChange, TownRequest, TownSummary};
use townwatch_town::account;
use townwatch_town::account::sessions;
use townwatch_town::account::wrong_keys::WrongKeys;
use townwatch_town::metrics::{self, SignIns};
use townwatch_town::route::{Responder, Route};
use townwatch_town::town::check_name;
use worker_macros::durable_object;

use crate::callers::{SeenView, WrongKeyView};
use crate::http::{self, nothing, respond, success};
use crate::log::log;
use crate::session::BegunView;
use crate::sql_store::SqlStore;
use crate::{objects, platform};

/// So many towns are told at once that sessions have ended.
const TOLD_AT_ONCE_MAX: usize = 10;

/// The directory of towns.
#[durable_object(fetch)]
pub struct Account {
    env: Env,
    store: SqlStore,
    began_at: Timestamp,
    /// What this instance has seen.
    seen: Cell<SignIns>,
    wrong_keys: RefCell<WrongKeys>,
}

#[derive(Deserialize)]
struct SignIn {
    /// None where the key was shown.
    code: Option<String>,
    browser: String,
}

#[derive(Deserialize)]
struct OfSession {
    session_id: SessionId,
}

#[derive(Deserialize)]
struct WrongKey {
    address: String,
}

impl DurableObject for Account {
    fn new(state: State, env: Env) -> Self {
        Self {
            store: SqlStore::new(&state),
            env,
            began_at: platform::now(),
            seen: Cell::default(),
            wrong_keys: RefCell::default(),
        }
    }

    async fn fetch(&self, request: Request) -> ::worker::Result<Response> {
        let outcome = self.answer(request.inner()).await;
        Ok(respond(request.inner(), outcome).await)
    }
}

impl Account {
    async fn answer(&self, request: &Raw) -> Result<Response> {
        let url = request.url();
        let address = Address::split(&url);
        if let Some(path) = address.path.strip_prefix(objects::INTERNAL) {
            return self.internal(request, path).await;
        }
        let now = platform::now();
        match Route::parse(&request.method(), address.path)? {
            Route::MakeCode => {
                let code = platform::sign_in_code();
                let expires_at = sessions::make_code(&self.store, &code, now)?;
                Ok(success(201, &SignInCode { code, expires_at }))
            }
            Route::ListSessions => Ok(success(200, &sessions::list(&self.store, now)?)),
            Route::EndSession(session_id) => {
                sessions::end(&self.store, &session_id, now)?;
                self.tell_ended().await.map(|()| nothing(&[]))
            }
            Route::EndSessions => {
                sessions::end_all(&self.store, now)?;
                self.tell_ended().await.map(|()| nothing(&[]))
            }
            Route::AccountMetrics => {
                let (rows, seen) = (self.store.rows(), self.seen.get());
                let page = || metrics::of_account(&self.store, seen, self.began_at, rows, now);
                self.store.uncounted(page).map(http::metrics)
            }
            Route::ListTowns => Ok(success(200, &account::list(&self.store)?)),
            Route::CreateTown => self.create(request).await,
            Route::ChangeTown(town_id) => self.change(&town_id, request).await,
            Route::DeleteTown(town_id) => self.delete(&town_id).await,
            route => Err(Error::internal(format!("{route:?} is not for an account"))),
        }
    }

    async fn internal(&self, request: &Raw, path: &str) -> Result<Response> {
        let body = http::read_own_body(request).await?;
        let now = platform::now();
        match path {
            "/sign-in" => {
                let SignIn { code, browser } = parse_body(&body)?;
                let begun = self.sign_in(code.as_deref(), &browser, now)?;
                // Whoever was pushed out by it is told of in the same way as one that was ended.
                if let Err(error) = self.tell_ended().await {
                    log("session_error", &[("message", &error.message)]);
                }
                Ok(success(201, &begun))
            }
            "/seen" => {
                let OfSession { session_id } = parse_body(&body)?;
                Ok(success(200, &SeenView { lasts: sessions::is_seen(&self.store, &session_id, now)? }))
            }
            "/sign-out" => {
                let OfSession { session_id } = parse_body(&body)?;
                let ended = match sessions::end(&self.store, &session_id, now) {
                    Err(error) if error.code == Code::NotFound => Ok(()),
                    outcome => outcome,
                };
                ended?;
                if let Err(error) = self.tell_ended().await {
                    log("session_error", &[("message", &error.message)]);
                }
                Ok(success(200, &json!({})))
            }
            "/wrong-key" => {
                let WrongKey { address } = parse_body(&body)?;
                log("wrong_key", &[("address", &address)]);
                self.count(|seen| seen.wrong_keys += 1);
                Ok(success(200, &WrongKeyView { refused_until: self.wrong_keys.borrow_mut().count(&address, now) }))
            }
            _ => Err(Error::not_found("path")),
        }
    }

    fn sign_in(&self, code: Option<&str>, browser: &str, now: Timestamp) -> Result<BegunView> {
        if let Some(code) = code
            && !sessions::use_code(&self.store, code, now)?
        {
            let message = "the link was used already, or is older than a minute; `npm run link` prints a new one";
            return Err(Error::new(Code::Unauthorized, message));
        }
        let session_id = platform::session_id();
        sessions::begin(&self.store, &session_id, browser, now)?;
        log("signed_in", &[("session_id", session_id.as_str()), ("browser", browser)]);
        self.count(|seen| seen.signed_in += 1);
        Ok(BegunView { session_id, ends_at: sessions::ends_at(now) })
    }

    /// Tells every town of the sessions that were ended: what they have opened there ends. Where one does not answer, they are
    /// ended all the same, and it is told the next time.
    async fn tell_ended(&self) -> Result<()> {
        let ended = sessions::untold(&self.store)?;
        if ended.is_empty() {
            return Ok(());
        }
        let body = json!({"session_ids": ended});
        let towns = account::list(&self.store)?;
        let told = iter(&towns).map(|town| async {
            match self.tell(&town.town_id, "/sessions-ended", &body).await {
                Err(error) if error.code == Code::NotFound => Ok(()),
                outcome => outcome,
            }
        });
        let outcomes: Vec<Result<()>> = told.buffer_unordered(TOLD_AT_ONCE_MAX).collect().await;
        if let Some(error) = outcomes.into_iter().find_map(Result::err) {
            let message =
                format!("ended, but a town does not know yet, where streams may go on: ask again ({})", error.message);
            return Err(Error::new(Code::TownUnavailable, message));
        }
        for session_id in &ended {
            log("session_ended", &[("session_id", session_id.as_str())]);
        }
        sessions::told(&self.store, &ended)
    }

    fn count(&self, change: impl FnOnce(&mut SignIns)) {
        let mut seen = self.seen.get();
        change(&mut seen);
        self.seen.set(seen);
    }

    /// The town's own object is made first: if we die in between, it is one that no one knows.
    async fn create(&self, request: &Raw) -> Result<Response> {
        let TownRequest { name } = http::read_json(request).await?;
        check_name("name", &name)?;
        account::check_room(&self.store)?;
        let town = TownSummary { town_id: platform::town_id(), name, created_at: platform::now() };
        self.tell(&town.town_id, "/create", &json!({"town_id": town.town_id, "name": town.name})).await?;
        account::add(&self.store, &town)?;
        Ok(success(201, &town))
    }

    /// The town has its budget to itself; its name stands in the directory, too.
    async fn change(&self, town_id: &TownId, request: &Raw) -> Result<Response> {
        let change: TownChange = http::read_json(request).await?;
        if change.name.is_none() && change.budget().is_empty() {
            return Err(Error::invalid("name", "missing; give a name, or a budget: max_cost_usd, max_tokens"));
        }
        if let Some(name) = &change.name {
            check_name("name", name)?;
        }
        self.tell(town_id, "/change", &json!(change)).await?;
        if let Some(name) = &change.name {
            account::rename(&self.store, town_id, name)?;
        }
        let changed = account::list(&self.store)?.into_iter().find(|town| town.town_id == *town_id);
        Ok(success(200, &changed.ok_or_else(|| Error::not_found("town"))?))
    }

    /// A town that is half deleted is deleted by asking again: its own object answers 404 then.
    async fn delete(&self, town_id: &TownId) -> Result<Response> {
        let known = account::has(&self.store, town_id)?;
        match self.tell(town_id, "/erase", &json!({})).await {
            Err(error) if error.code == Code::NotFound && known => {}
            outcome => outcome?,
        }
        account::remove(&self.store, town_id)?;
        Ok(nothing(&[]))
    }

    async fn tell(&self, town_id: &TownId, path: &str, body: &Value) -> Result<()> {
        let path = format!("{}{path}", objects::INTERNAL);
        let place = Responder::Town(town_id.clone());
        let _: Value = objects::ask(&self.env, &place, "POST", &path, Some(&body.to_string())).await?;
        Ok(())
    }
}
