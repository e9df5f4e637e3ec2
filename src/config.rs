//! Settings and secrets out of the Worker's environment.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ::worker::{Env, WorkerVersionMetadata};
use js_sys::{Object, Reflect};
use townwatch_protocol::error::Result;
use townwatch_protocol::wire::BuildView;
use townwatch_redaction::{Redactor, SecretValues};
use townwatch_town::settings::{Secrets, Settings};
use wasm_bindgen::{JsCast, JsValue};

/// The settings and secrets of the installation.
#[derive(Debug)]
pub struct WorkerConfig {
    /// The variables.
    pub settings: Settings,
    /// The secrets.
    pub secrets: Secrets,
    /// The finder of secrets in posts, by their formats; `None` where posts are stored unchanged.
    pub redactor: Option<Rc<Redactor>>,
}

thread_local! {
    /// The configuration of this isolate. Its environment never changes, so it is read once.
    static READ: RefCell<Option<Rc<WorkerConfig>>> = const { RefCell::new(None) };
}

/// Reads the environment.
///
/// # Errors
///
/// `not_configured` (503) for a variable that is missing or invalid; the message names it.
pub fn read(env: &Env) -> Result<Rc<WorkerConfig>> {
    if let Some(known) = READ.with_borrow(Clone::clone) {
        return Ok(known);
    }
    let lookup = |name: &str| text(env, name);
    let settings = Settings::read(&lookup)?;
    let secrets = Secrets::read(&lookup, settings.container_url.is_some())?;
    let formats = || Redactor::new(SecretValues::default()).map(Rc::new);
    let redactor = settings.redact_posts.then(formats).transpose()?;
    let config = Rc::new(WorkerConfig { settings, secrets, redactor });
    READ.with_borrow_mut(|read| *read = Some(config.clone()));
    Ok(config)
}

/// The deployment that answers; `None` where the platform does not say, as under workerd alone.
pub fn build(env: &Env) -> Option<BuildView> {
    let known = env.get_binding::<WorkerVersionMetadata>("BUILD").ok()?;
    Some(BuildView { id: known.id(), tag: known.tag(), made_at: known.timestamp() })
}

/// The `AGENT_ENV_*` secrets by their names without the prefix: agents get them as their environment.
pub fn agent_env(env: &Env) -> BTreeMap<String, String> {
    let object: &JsValue = env.as_ref();
    let names = Object::keys(object.unchecked_ref::<Object>());
    let pairs = names.iter().filter_map(|name| {
        let name = name.as_string()?;
        let short = name.strip_prefix("AGENT_ENV_").filter(|short| !short.is_empty())?;
        Some((short.to_owned(), text(env, &name)?))
    });
    pairs.collect()
}

/// A variable or secret as text; in wrangler.toml a number or a switch may stand without quotes.
fn text(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    if let Some(text) = value.as_string() {
        return Some(text);
    }
    value.as_bool().map(|switch| switch.to_string()).or_else(|| value.as_f64().map(|number| number.to_string()))
}
