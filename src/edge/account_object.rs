//! The Account object: a thin shim around [`crate::core::account`]. Key: `default`. It makes and deletes towns.

use ::worker::web_sys::Request as Raw;
use ::worker::{DurableObject, Env, Request, Response, State};
use serde_json::{Value, json};
use worker_macros::durable_object;

use crate::core::account;
use crate::core::query::Address;
use crate::core::route::{Place, Route};
use crate::core::town::check_name;
use crate::edge::http::{self, nothing, respond, success};
use crate::edge::sql_store::SqlStore;
use crate::edge::{fresh, objects};
use crate::error::{Code, Error, Result};
use crate::id::TownId;
use crate::protocol::{TownRequest, TownSummary};

/// The directory of towns.
#[durable_object(fetch)]
pub struct Account {
    env: Env,
    store: SqlStore,
}

impl DurableObject for Account {
    fn new(state: State, env: Env) -> Self {
        Self { store: SqlStore::new(&state), env }
    }

    async fn fetch(&self, request: Request) -> ::worker::Result<Response> {
        let outcome = self.answer(request.inner()).await;
        Ok(respond(request.inner(), outcome).await)
    }
}

impl Account {
    async fn answer(&self, request: &Raw) -> Result<Response> {
        let url = request.url();
        match Route::parse(&request.method(), Address::split(&url).path)? {
            Route::ListTowns => Ok(success(200, &account::list(&self.store)?)),
            Route::CreateTown => self.create(request).await,
            Route::RenameTown(town_id) => self.rename(&town_id, request).await,
            Route::DeleteTown(town_id) => self.delete(&town_id).await,
            route => Err(Error::internal(format!("{route:?} is not for an account"))),
        }
    }

    /// The town's own object is made first: if we die in between, it is one that no one knows.
    async fn create(&self, request: &Raw) -> Result<Response> {
        let TownRequest { name } = http::read_json(request).await?;
        check_name("name", &name)?;
        account::check_room(&self.store)?;
        let town = TownSummary { town_id: fresh::town_id(), name, created_at: fresh::now() };
        self.tell(&town.town_id, "/create", &json!({"town_id": town.town_id, "name": town.name})).await?;
        account::add(&self.store, &town)?;
        Ok(success(201, &town))
    }

    async fn rename(&self, town_id: &TownId, request: &Raw) -> Result<Response> {
        let TownRequest { name } = http::read_json(request).await?;
        check_name("name", &name)?;
        self.tell(town_id, "/rename", &json!({"name": name})).await?;
        account::rename(&self.store, town_id, &name)?;
        let renamed = account::list(&self.store)?.into_iter().find(|town| town.town_id == *town_id);
        Ok(success(200, &renamed.ok_or_else(|| Error::not_found("town"))?))
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
        let place = Place::Town(town_id.clone());
        let _: Value = objects::ask(&self.env, &place, "POST", &path, Some(&body.to_string())).await?;
        Ok(())
    }
}
