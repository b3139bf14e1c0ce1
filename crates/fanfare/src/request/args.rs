//! The arguments of every command that requests an event stream.
use super::{body::RequestBody, cookies::Cookies};
use crate::{
    http::{ConnectionArgs, HeaderArgument, HubArgs, RewindQuery},
    secret::Secret,
};
use http::Method;

/// The arguments that describe the hub, the request, the connection, and the place where the stream begins.
#[derive(Debug, clap::Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    pub hub: HubArgs,

    #[command(flatten)]
    pub message: MessageArgs,

    #[command(flatten, next_help_heading = "Connection")]
    pub connection: ConnectionArgs,

    #[command(flatten)]
    pub begin: BeginArgs,
}

/// Options for the request itself.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Request")]
pub(crate) struct MessageArgs {
    /// Method of the request [default: GET, or POST with --data]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    pub method: Option<Method>,

    /// Header of the request, or @FILE with one header on each line, which other users of the machine cannot see;
    /// `NAME;` sends an empty value, `NAME:` removes a header; repeatable
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE|@FILE")]
    pub headers: Vec<HeaderArgument>,

    /// Body of the request: text, @FILE, or @- for standard input. If it is JSON, its content type is application/json,
    /// unless a header gives another one
    #[arg(short = 'd', long = "data", value_name = "DATA|@FILE")]
    pub body: Option<RequestBody>,

    /// Log in with this user and password (HTTP Basic), instead of a token
    #[arg(short = 'u', long, value_name = "USER:PASSWORD", hide_env_values = true)]
    pub user: Option<Secret>,

    /// Cookies to send: `a=b; c=d`, or a file in Netscape's format, as curl and browsers write it. With an empty text
    /// or a file, cookies that the server sets are also kept, as with --cookie-jar
    #[arg(short = 'b', long, value_name = "COOKIES|FILE", hide_env_values = true)]
    pub cookie: Option<Cookies>,

    /// Keep the cookies that the server sets, and send them with redirects and when the command reconnects
    #[arg(long)]
    pub cookie_jar: bool,
}

/// Options that say where the stream begins.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Resuming")]
pub(crate) struct BeginArgs {
    /// Begin after the event with this ID; `earliest` for everything in the log of the hub
    #[arg(long, value_name = "ID")]
    pub last_event_id: Option<String>,

    #[command(flatten, next_help_heading = "Resuming")]
    pub rewind: RewindQuery,
}

impl MessageArgs {
    /// Returns true if the method of the request is safe, such as GET: the request changes nothing on the server, so it
    /// may be sent again.
    pub(crate) fn is_safe(&self) -> bool {
        let default = if self.body.is_some() { &Method::POST } else { &Method::GET };
        self.method.as_ref().unwrap_or(default).is_safe()
    }
}
