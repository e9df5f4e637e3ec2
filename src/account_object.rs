//! The Account object: a thin shim around [`townwatch_town::account`]. Key: `default`. It makes and deletes towns,
//! and signs browsers in and out.

use std::cell::{Cell, RefCell};

use ::worker::web_sys::Request as Raw;
use ::worker::{DurableObject, Env, Request, Response, State};
use futures_util::stream::{StreamExt, iter};
use townwatch_protocol::calls::{
    self, AccountCall, BegunSession, CreateTown, Done, EndSessions, EraseTown, ObjectAnswer, ObjectCall, UsedSession,
    WrongKeyCount,
};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::TownId;
use townwatch_protocol::query::Address;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{SignInCode, TownChange, TownRequest, TownSummary};
use townwatch_town::account;
use townwatch_town::account::sessions;
use townwatch_town::account::wrong_keys::WrongKeys;
use townwatch_town::metrics::{self, SignIns};
use townwatch_town::route::Route;
use townwatch_town::town::check_name;
use worker_macros::durable_object;

use crate::http::{self, nothing, respond, success};
use crate::log::log;
use crate::sql_store::SqlStore;
use crate::{objects, platform};

/// Towns that are told at once that sessions have ended.
const TOLD_AT_ONCE_MAX: usize = 10;

/// The directory of towns.
#[durable_object(fetch)]
pub struct Account {
    env: Env,
    store: SqlStore,
    began_at: Timestamp,
    /// The sign-ins that this instance has seen.
    seen: Cell<SignIns>,
    wrong_keys: RefCell<WrongKeys>,
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
        if calls::is_call(address.path) {
            let call = AccountCall::read(address.path, &http::read_own_body(request).await?)?;
            return Ok(http::success_text(200, self.internal(call).await?.text()));
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

    async fn internal(&self, call: AccountCall) -> Result<ObjectAnswer> {
        let now = platform::now();
        match call {
            AccountCall::SignIn(call) => {
                let begun = self.sign_in(call.code.as_deref(), &call.browser, now)?;
                // Whoever was pushed out by it is told of in the same way as one that was ended.
                if let Err(error) = self.tell_ended().await {
                    log("session_error", &[("message", &error.message)]);
                }
                call.answer(&begun)
            }
            AccountCall::Seen(call) => {
                let lasts = sessions::is_seen(&self.store, &call.session_id, now)?;
                call.answer(&UsedSession { lasts })
            }
            AccountCall::SignOut(call) => {
                let ended = match sessions::end(&self.store, &call.session_id, now) {
                    Err(error) if error.code == Code::NotFound => Ok(()),
                    outcome => outcome,
                };
                ended?;
                if let Err(error) = self.tell_ended().await {
                    log("session_error", &[("message", &error.message)]);
                }
                call.answer(&Done {})
            }
            AccountCall::WrongKey(call) => {
                log("wrong_key", &[("address", &call.address)]);
                self.count(|seen| seen.wrong_keys += 1);
                let refused_until = self.wrong_keys.borrow_mut().count(&call.address, now);
                call.answer(&WrongKeyCount { refused_until })
            }
        }
    }

    fn sign_in(&self, code: Option<&str>, browser: &str, now: Timestamp) -> Result<BegunSession> {
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
        Ok(BegunSession { session_id, ends_at: sessions::ends_at(now) })
    }

    /// Tells every town which sessions have ended, so that it closes their streams. A town that does not answer is told
    /// again the next time; the sessions have ended all the same.
    async fn tell_ended(&self) -> Result<()> {
        let ended = sessions::untold(&self.store)?;
        if ended.is_empty() {
            return Ok(());
        }
        let end = EndSessions { session_ids: ended };
        let towns = account::list(&self.store)?;
        let calls = iter(&towns).map(|town| async {
            match objects::call(&self.env, &town.town_id, &end).await {
                Err(error) if error.code == Code::NotFound => Ok(()),
                outcome => outcome.map(drop),
            }
        });
        let outcomes: Vec<Result<()>> = calls.buffer_unordered(TOLD_AT_ONCE_MAX).collect().await;
        if let Some(error) = outcomes.into_iter().find_map(Result::err) {
            let message =
                format!("ended, but a town does not know yet, where streams may go on: ask again ({})", error.message);
            return Err(Error::new(Code::TownUnavailable, message));
        }
        for session_id in &end.session_ids {
            log("session_ended", &[("session_id", session_id.as_str())]);
        }
        sessions::told(&self.store, &end.session_ids)
    }

    fn count(&self, change: impl FnOnce(&mut SignIns)) {
        let mut seen = self.seen.get();
        change(&mut seen);
        self.seen.set(seen);
    }

    /// Makes a town. The town's own object comes first: if this instance dies in between, no directory knows that
    /// object.
    async fn create(&self, request: &Raw) -> Result<Response> {
        let TownRequest { name } = http::read_json(request).await?;
        check_name("name", &name)?;
        account::check_room(&self.store)?;
        let town = TownSummary { town_id: platform::town_id(), name, created_at: platform::now() };
        let create = CreateTown { town_id: town.town_id.clone(), name: town.name.clone() };
        objects::call(&self.env, &town.town_id, &create).await?;
        account::add(&self.store, &town)?;
        Ok(success(201, &town))
    }

    /// Changes a town. Its budget is stored in the town, and its name in the directory, too.
    async fn change(&self, town_id: &TownId, request: &Raw) -> Result<Response> {
        let change: TownChange = http::read_json(request).await?;
        if change.name.is_none() && change.budget().is_empty() {
            return Err(Error::invalid("name", "missing; give a name, or a budget: max_cost_usd, max_tokens"));
        }
        if let Some(name) = &change.name {
            check_name("name", name)?;
        }
        objects::call(&self.env, town_id, &change).await?;
        if let Some(name) = &change.name {
            account::rename(&self.store, town_id, name)?;
        }
        let changed = account::list(&self.store)?.into_iter().find(|town| town.town_id == *town_id);
        Ok(success(200, &changed.ok_or_else(|| Error::not_found("town"))?))
    }

    /// Deletes a town. If a deletion stops halfway, the next request finishes it: the town's own object then answers
    /// 404.
    async fn delete(&self, town_id: &TownId) -> Result<Response> {
        let known = account::has(&self.store, town_id)?;
        match objects::call(&self.env, town_id, &EraseTown {}).await {
            Err(error) if error.code == Code::NotFound && known => {}
            outcome => {
                outcome?;
            }
        }
        account::remove(&self.store, town_id)?;
        Ok(nothing(&[]))
    }
}
