//! The entries on how subscribers find a hub and a topic. Some of the rules are for publishers. They are tried on the
//! example backend, which publishes to the hub under test and serves a page's requests.
use crate::{
    backend::{Hub, Settings, backend},
    entries::{carriage::cookies, history::keeps_history},
    http::{Link, links},
    outcome::{Fault, Outcome, check, check_eq},
    rules::{
        self,
        discovery::{
            BEARER_METHODS, COOKIE_ATTRIBUTES, COOKIE_NAME, DETAIL_TYPES, EACH_HUB, HUB_LINK, HUB_PATH,
            LINK_ATTRIBUTES, METADATA, OWN_TYPE, RESOURCE, RESOURCE_IS_AUDIENCE, SELF_LINK, SUBSCRIPTIONS_FLAG,
        },
    },
    token::{DETAIL_TYPE, detail},
    trial::{Purpose, Trial},
};
use axum::{Router, extract::State, routing::post};
use hyper::Method;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, task::AbortHandle};
use url::Url;

/// B1: The older Mercure revision has a fixed path for the hub; the newer one only recommends it. In the newer revision
/// the reserved topics are at and below the path of the hub's URL, whatever that path is.
pub(super) async fn b01_hub_is_where_its_url_says(trial: &Trial<'_>) -> Outcome {
    let (path, topic) = (trial.target.hub.path(), trial.topic("a"));
    let at_path = async {
        check_eq!(path, "/.well-known/mercure", "path of the hub");
        Ok(())
    };
    let streams = async {
        let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
        trial.say(&topic, "here").await?;
        stream.expect(&["here"]).await
    };
    let reserves = async {
        let own = format!("{path}/subscriptions/x");
        let status = trial.publish(&[("topic", &own), ("data", "forged")]).await?.status;
        check_eq!(status, 400, "status of a topic below the hub's path");
        Ok(())
    };
    trial.by(&rules::subscription::EVENT_STREAM, streams).await?;
    trial.by(&rules::publication::RESERVED, reserves).await?;
    trial.by(&HUB_PATH, at_path).await?;
    Ok(())
}

/// An HTTP server of the suite. It stops when this value is dropped.
struct Serving {
    address: SocketAddr,
    task: AbortHandle,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Serving {
    async fn start(routes: Router) -> Result<Self, Fault> {
        let broken = |error: std::io::Error| Fault::Broken(format!("the suite cannot listen: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(broken)?;
        let address = listener.local_addr().map_err(broken)?;
        let task = tokio::spawn(async move { axum::serve(listener, routes).await }).abort_handle();
        Ok(Self { address, task })
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).expect("an address is a host of a URL")
    }
}

/// The forms that the second hub received.
type Forms = Arc<Mutex<Vec<String>>>;

async fn second_hub() -> Result<(Serving, Forms), Fault> {
    let forms = Forms::default();
    let notice = async |State(forms): State<Forms>, form: String| {
        forms.lock().expect("nobody panics with it").push(form);
        "second-1"
    };
    let serving = Serving::start(Router::new().route("/hub", post(notice)).with_state(forms.clone())).await?;
    Ok((serving, forms))
}

/// Starts the example backend, which publishes to the hub under test and to `others`. Returns it with the topic of its
/// resource.
async fn publisher(trial: &Trial<'_>, others: &[Hub]) -> Result<(Serving, String), Fault> {
    if trial.target.hub.scheme() != "http" {
        return Err(Fault::NotTried("the example backend publishes over plain HTTP".into()));
    }
    let token = Some(trial.token(Purpose::Publish, &["*"])?);
    let ours = Hub { url: trial.target.hub.to_string(), token };
    let hubs = [&[ours], others].concat();
    let topic = trial.topic("books/1");
    let cookie = format!("{}={}", trial.cookie(), trial.token(Purpose::Subscribe, &[&topic])?);
    let settings = Settings { hubs, topic: topic.clone(), private: true, cookie: Some(cookie) };
    Ok((Serving::start(backend(settings)).await?, topic))
}

/// Requests the resource, a book, from the backend. Returns the links of the answer and the cookie that it sets.
async fn book(trial: &Trial<'_>, backend: &Serving, path: &str) -> Result<(Vec<Link>, String), Fault> {
    let answer = trial.ask_at(Method::GET, backend.url(path)).send().await?;
    check_eq!(answer.status, 200, "status of the resource");
    Ok((links(&answer), answer.header("set-cookie").unwrap_or_default().to_owned()))
}

async fn change(trial: &Trial<'_>, backend: &Serving, json: &str) -> Outcome {
    let status = trial.ask_at(Method::PUT, backend.url("/books/1")).body("application/json", json).send().await?.status;
    check_eq!(status, 204, "status of a change, of which each hub has to be told");
    Ok(())
}

fn hub_links(links: &[Link]) -> Vec<&Link> {
    links.iter().filter(|link| link.get("rel") == Some("mercure")).collect()
}

/// B2: A publisher SHOULD send `Link: <hub>; rel="mercure"`. If it has several hubs, it MUST notify each of them.
pub(super) async fn b02_publisher_links_to_and_notifies_each_hub(trial: &Trial<'_>) -> Outcome {
    let (second, forms) = second_hub().await?;
    let url = second.url("/hub").to_string();
    let (backend, topic) = publisher(trial, &[Hub { url: url.clone(), token: None }]).await?;
    let linked = async {
        let (links, _) = book(trial, &backend, "/books/1").await?;
        let targets: Vec<_> = hub_links(&links).iter().map(|link| link.target.clone()).collect();
        check_eq!(targets, [trial.target.hub.to_string(), url], "hubs that the resource links to");
        Ok(())
    };
    let notified = async {
        let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
        change(trial, &backend, r#"{"title":"x"}"#).await?;
        stream.expect(&[r#"{"title":"x"}"#]).await?;
        let told = forms.lock().expect("nobody panics with it").len();
        check_eq!(told, 1, "updates that the second hub was sent");
        Ok(())
    };
    trial.by(&HUB_LINK, linked).await?;
    trial.by(&EACH_HUB, notified).await?;
    Ok(())
}

/// B3: The link to the hub has attributes. A subscriber passes `last-event-id` on as a query parameter, and a hub that
/// keeps a history replays what was published since the resource was made. `content-type` and, in the newer Mercure
/// revision, `type` describe the coming updates; `type` is never `mercure`.
pub(super) async fn b03_link_attributes_lead_to_what_was_missed(trial: &Trial<'_>) -> Outcome {
    let (backend, topic) = publisher(trial, &[]).await?;
    keeps_history(trial).await?;
    change(trial, &backend, "1").await?;
    let (links, _) = book(trial, &backend, "/books/1").await?;
    change(trial, &backend, "2").await?;
    let hubs = hub_links(&links);
    let link = hubs.first().ok_or_else(|| Fault::Broken("there is no link to a hub".into()))?;
    let since = link.get("last-event-id").unwrap_or_default();
    let replayed = async {
        let mut stream = trial.subscribe(&[(trial.exactly(), &topic), (trial.cursor_parameter(), since)]).await?;
        // A hub that replays nothing sends this update first.
        change(trial, &backend, "3").await?;
        let missed = stream.next().await?;
        check_eq!(missed.data, "2", "first update since the resource was made");
        Ok(missed.event_type)
    };
    let event_type = trial.by(&rules::reconciliation::REPLAY, replayed).await?;
    let attributes = async {
        check_eq!(link.get("content-type"), Some("application/json"), "content type in the link");
        if let Some(event_type) = event_type.as_deref().filter(|_| trial.is_modern()) {
            check_eq!(Some(event_type), link.get("type"), "event type, as the link has it");
        }
        Ok(())
    };
    let own_type = async {
        check!(link.get("type") != Some("mercure"), "the type 'mercure' is the hub's");
        Ok(())
    };
    trial.by(&LINK_ATTRIBUTES, attributes).await?;
    trial.by(&OWN_TYPE, own_type).await?;
    Ok(())
}

/// B4: The link with `rel="self"` is the canonical topic, whatever URL the resource was requested by. The resource sets
/// a cookie that browsers send to the hub only (see entry 30). The hub accepts this cookie if it accepts cookies at
/// all.
pub(super) async fn b04_self_link_is_the_topic(trial: &Trial<'_>) -> Outcome {
    let (backend, topic) = publisher(trial, &[]).await?;
    for path in ["/books/1", "/books/1.json"] {
        let (links, cookie) = book(trial, &backend, path).await?;
        let selves: Vec<_> = links.iter().filter(|link| link.get("rel") == Some("self")).collect();
        let is_topic = async {
            let targets: Vec<_> = selves.iter().map(|link| link.target.as_str()).collect();
            check_eq!(targets, [topic.as_str()], "self of {path}");
            Ok(())
        };
        trial.by(&SELF_LINK, is_topic).await?;
        let (pair, attributes) = cookie.split_once(';').unwrap_or_default();
        let is_safe = async {
            for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/.well-known/mercure"] {
                check!(attributes.split("; ").any(|part| part.trim() == attribute), "the cookie lacks {attribute}");
            }
            Ok(())
        };
        trial.by(&COOKIE_ATTRIBUTES, is_safe).await?;
        cookies(trial).await?;
        let visits = async {
            let visitor = trial.ask(Method::GET).query(&[(trial.exactly(), &topic)]).header("cookie", pair);
            let mut stream = visitor.open().await?;
            change(trial, &backend, path).await?;
            stream.expect(&[path]).await
        };
        trial.by(&rules::authorization::COOKIE, visits).await?;
    }
    Ok(())
}

/// B5: The hub publishes metadata (RFC 9728) at a URL that has the well-known name before the hub's path. Only the
/// member `resource` is required. Other members have the type and the meaning that the draft gives them.
pub(super) async fn b05_metadata_describes_the_hub(trial: &Trial<'_>) -> Outcome {
    let Some(Some(metadata)) = trial.by(&METADATA, trial.published_metadata()).await? else {
        return Err(trial.unsupported(&METADATA, "the hub publishes no metadata"));
    };
    let resource = async {
        let resource = metadata["resource"].as_str().unwrap_or_default();
        check!(!resource.is_empty(), "resource is {}", metadata["resource"]);
        Ok(resource)
    };
    let resource = trial.by(&RESOURCE, resource).await?.unwrap_or_default();
    let texts = |name: &str| {
        let values =
            metadata[name].as_array().map(|values| values.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        values.flatten().ok_or_else(|| Fault::Broken(format!("{name} is {}, and should be texts", metadata[name])))
    };
    let details = async {
        let name = "authorization_details_types_supported";
        check!(
            metadata[name].is_null() || texts(name)?.contains(&DETAIL_TYPE),
            "{name} lacks {DETAIL_TYPE}: {}",
            metadata[name]
        );
        Ok(())
    };
    let methods = async {
        let name = "bearer_methods_supported";
        let is_right = |methods: Vec<&str>| methods.contains(&"header") && !methods.contains(&"cookie");
        check!(metadata[name].is_null() || is_right(texts(name)?), "{name} is {}", metadata[name]);
        Ok(())
    };
    let cookie = async {
        let name = &metadata["mercure_cookie"];
        check!(name.is_null() || name.as_str().is_some_and(|name| !name.is_empty()), "mercure_cookie is {name}");
        Ok(())
    };
    let flag = async {
        let flag = &metadata["mercure_subscriptions"];
        check!(flag.is_null() || flag.is_boolean(), "mercure_subscriptions is {flag}");
        Ok(())
    };
    let members = [
        trial.by(&DETAIL_TYPES, details).await,
        trial.by(&BEARER_METHODS, methods).await,
        trial.by(&COOKIE_NAME, cookie).await,
        trial.by(&SUBSCRIPTIONS_FLAG, flag).await,
    ];
    let mut claims = trial.claims(&json!([detail(&["publish"], &["*"])]))?;
    claims["aud"] = resource.into();
    let taken = async {
        let (token, topic) = (trial.access_token(&claims)?, trial.topic("a"));
        let answer = trial.ask(Method::POST).bearer(&token).form(&[("topic", &topic)]).send().await?;
        check_eq!(answer.status, 200, "status of a token whose audience is the resource {resource}");
        Ok(())
    };
    trial.by(&RESOURCE_IS_AUDIENCE, taken).await?;
    members.into_iter().try_for_each(|member| member.map(drop))
}
