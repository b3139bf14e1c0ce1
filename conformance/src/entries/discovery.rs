//! How subscribers find a hub and a topic. Some of it is a publisher's duty: it is tried on the example backend, which
//! publishes to the hub under test and is asked as a page's server would be.
use crate::{
    backend::{Hub, Settings, backend},
    outcome::{Fault, Outcome, check, check_eq},
    trial::{Purpose, Trial},
};
use axum::{Router, extract::State, routing::post};
use hyper::{Method, header::LINK};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, task::AbortHandle};
use url::Url;

/// B1: The hub's URL SHOULD be `/.well-known/mercure` and MAY be any; what it reserves follows its path. The older revision has
/// no choice. So does its metadata's, which entry 5 asks for.
pub(super) async fn b01_hub_is_where_its_url_says(trial: &Trial<'_>) -> Outcome {
    let path = trial.target.hub.path();
    if !trial.is_modern() {
        check_eq!(path, "/.well-known/mercure", "path of the hub");
    }
    let mut stream = trial.subscribe(&[(trial.exactly(), &trial.topic("a"))]).await?;
    let own = format!("{path}/subscriptions/x");
    let status = trial.publish(&[("topic", &own), ("data", "forged")]).await?.status;
    check!((400..500).contains(&status), "a topic below the hub's path is answered with {status}");
    trial.say(&trial.topic("a"), "here").await?;
    stream.expect(&["here"]).await
}

/// A server of the suite's own. It ends when this is dropped.
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

/// What a second hub was sent.
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

/// The backend, whose hubs are the one under test and others.
async fn publisher(trial: &Trial<'_>, others: &[Hub]) -> Result<(Serving, String), Fault> {
    if trial.target.hub.scheme() != "http" {
        return Err(Fault::not_applicable("the example backend publishes over plain HTTP"));
    }
    let token = Some(trial.token(Purpose::Publish, &["*"])?);
    let ours = Hub { url: trial.target.hub.to_string(), token };
    let hubs = [&[ours], others].concat();
    let topic = trial.topic("books/1");
    let cookie = format!("{}={}", trial.cookie(), trial.token(Purpose::Subscribe, &[&topic])?);
    let settings = Settings { hubs, topic: topic.clone(), private: true, cookie: Some(cookie) };
    Ok((Serving::start(backend(settings)).await?, topic))
}

/// A `Link` header: its target and its attributes.
struct Link {
    target: String,
    attributes: Vec<(String, String)>,
}

impl Link {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value.as_str())
    }
}

/// The links of the book, and the cookie that comes with it.
async fn book(trial: &Trial<'_>, backend: &Serving, path: &str) -> Result<(Vec<Link>, String), Fault> {
    let answer = trial.ask_at(Method::GET, backend.url(path)).send().await?;
    check_eq!(answer.status, 200, "status of the resource");
    let links = answer.headers.get_all(LINK).iter().filter_map(|value| {
        let (target, rest) = value.to_str().ok()?.strip_prefix('<')?.split_once('>')?;
        let attribute = |part: &str| {
            let (name, value) = part.trim().split_once('=')?;
            Some((name.to_owned(), value.trim_matches('"').to_owned()))
        };
        Some(Link { target: target.to_owned(), attributes: rest.split(';').filter_map(attribute).collect() })
    });
    Ok((links.collect(), answer.header("set-cookie").unwrap_or_default().to_owned()))
}

async fn change(trial: &Trial<'_>, backend: &Serving, json: &str) -> Outcome {
    let status = trial.ask_at(Method::PUT, backend.url("/books/1")).body("application/json", json).send().await?.status;
    check_eq!(status, 204, "status of a change, of which each hub has to be told");
    Ok(())
}

fn hub_links(links: &[Link]) -> Vec<&Link> {
    links.iter().filter(|link| link.get("rel") == Some("mercure")).collect()
}

/// B2: A publisher SHOULD send `Link: <hub>; rel="mercure"`; of several hubs it MUST notify each.
pub(super) async fn b02_publisher_links_to_and_notifies_each_hub(trial: &Trial<'_>) -> Outcome {
    let (second, forms) = second_hub().await?;
    let url = second.url("/hub").to_string();
    let (backend, topic) = publisher(trial, &[Hub { url: url.clone(), token: None }]).await?;
    let (links, _) = book(trial, &backend, "/books/1").await?;
    let targets: Vec<_> = hub_links(&links).iter().map(|link| link.target.clone()).collect();
    check_eq!(targets, [trial.target.hub.to_string(), url], "hubs that the resource links to");
    let mut stream = trial.subscribe(&[(trial.exactly(), &topic)]).await?;
    change(trial, &backend, r#"{"title":"x"}"#).await?;
    stream.expect(&[r#"{"title":"x"}"#]).await?;
    let told = forms.lock().expect("nobody panics with it").len();
    check_eq!(told, 1, "updates that the second hub was sent");
    Ok(())
}

/// B3: `last-event-id` is passed on as a query parameter, and nothing since the resource was made is missed; `content-type` and
/// `type` say what comes, and `type` is never `mercure`.
pub(super) async fn b03_link_attributes_lead_to_what_was_missed(trial: &Trial<'_>) -> Outcome {
    let (backend, topic) = publisher(trial, &[]).await?;
    change(trial, &backend, "1").await?;
    let (links, _) = book(trial, &backend, "/books/1").await?;
    change(trial, &backend, "2").await?;
    let hubs = hub_links(&links);
    let link = hubs.first().ok_or_else(|| Fault::Broken("there is no link to a hub".into()))?;
    let since = link.get("last-event-id").unwrap_or_default();
    let mut stream = trial.subscribe(&[(trial.exactly(), &topic), (trial.cursor_parameter(), since)]).await?;
    let missed = stream.next().await?;
    check_eq!(missed.data, "2", "first update since the resource was made");
    check_eq!(Some(missed.event_type.as_str()), link.get("type"), "event type, as the link has it");
    check!(missed.event_type != "mercure", "the type 'mercure' is the hub's");
    check_eq!(link.get("content-type"), Some("application/json"), "content type in the link");
    Ok(())
}

/// B4: `rel="self"` is the canonical topic, by whatever URL the resource was found; and the cookie that a visitor gets with it
/// is for the hub alone (entry 30).
pub(super) async fn b04_self_link_is_the_topic(trial: &Trial<'_>) -> Outcome {
    let (backend, topic) = publisher(trial, &[]).await?;
    for path in ["/books/1", "/books/1.json"] {
        let (links, cookie) = book(trial, &backend, path).await?;
        let selves: Vec<_> = links.iter().filter(|link| link.get("rel") == Some("self")).collect();
        check_eq!(
            selves.iter().map(|link| link.target.as_str()).collect::<Vec<_>>(),
            [topic.as_str()],
            "self of {path}"
        );
        let (pair, attributes) = cookie.split_once(';').unwrap_or_default();
        for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/.well-known/mercure"] {
            check!(attributes.split("; ").any(|part| part.trim() == attribute), "the cookie lacks {attribute}");
        }
        let visitor = trial.ask(Method::GET).query(&[(trial.exactly(), &selves[0].target)]).header("cookie", pair);
        let mut stream = visitor.open().await?;
        change(trial, &backend, path).await?;
        stream.expect(&[path]).await?;
    }
    Ok(())
}

/// B5: Metadata of RFC 9728, at the well-known name before the path of the hub.
pub(super) async fn b05_metadata_describes_the_hub(trial: &Trial<'_>) -> Outcome {
    let metadata = trial.metadata().await?;
    check_eq!(metadata["resource"].as_str(), Some(trial.target.audience.as_str()), "resource");
    if let Some(issuer) = &trial.target.issuer {
        let servers = metadata["authorization_servers"].as_array();
        let named = servers.is_none_or(|servers| servers.iter().any(|server| *server == issuer.name));
        check!(named, "the authorization servers do not name {}", issuer.name);
    }
    let types = &metadata["authorization_details_types_supported"];
    let is_there = types.as_array().is_some_and(|types| types.iter().any(|one| *one == crate::token::DETAIL_TYPE));
    check!(is_there, "types of authorization details: {types}");
    check_eq!(metadata["bearer_methods_supported"], serde_json::json!(["header"]), "bearer methods");
    for name in ["mercure_cookie", "mercure_subscriptions"] {
        check!(metadata[name].is_null() || metadata[name] == true, "{name} is {}", metadata[name]);
    }
    Ok(())
}
